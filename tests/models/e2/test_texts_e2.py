"""How many tokens a text tower reads, how texts are padded for it, and which words text embeddings weigh."""

import pytest
import torch
from transformers import AutoModel, BertConfig, CLIPTextConfig, SiglipTextConfig, T5Config, XLMRobertaConfig

from hf_fashion import E2Model
from hf_fashion.models.e2.texts_e2 import E2EntityWords, max_tokens, num_positions, text_options
from tests.tiny_e2 import tiny_config, tiny_inputs, tiny_model, tiny_tokenizer
from tests.tiny_towers import tiny_bert, tiny_tower, tiny_two_towers


@pytest.mark.parametrize(
    ("config", "positions"),
    [
        (CLIPTextConfig(), 77),
        (BertConfig(), 512),
        (XLMRobertaConfig(max_position_embeddings=514, pad_token_id=1), 512),  # counted from the padding on
        (T5Config(), None),
    ],
)
def test_positions_of_text_towers(config, positions):
    assert num_positions(config) == positions


@pytest.mark.parametrize(
    ("stated", "config", "read"),
    [
        (20, BertConfig(), 20),
        (int(1e30), BertConfig(), 512),
        (20, T5Config(), 20),
        (20, SiglipTextConfig(), 64),  # never less: it pools at the last position
    ],
)
def test_what_tokenizer_and_text_tower_allow_is_read(stated, config, read):
    tokenizer = tiny_tokenizer()
    tokenizer.model_max_length = stated
    assert max_tokens(tokenizer, config) == read


def test_a_length_is_asked_for_where_nothing_states_one():
    tokenizer = tiny_tokenizer()
    tokenizer.model_max_length = int(1e30)
    with pytest.raises(ValueError, match=r"text tower of type 't5' says how many tokens .* set `model_max_length`"):
        max_tokens(tokenizer, T5Config())


def test_siglips_text_tower_reads_padding_and_no_mask():
    assert text_options(SiglipTextConfig()) == {"padding": "max_length", "return_attention_mask": False}
    assert text_options(CLIPTextConfig()) == {"padding": True}


def entity_words(seed: int = 0) -> E2EntityWords:
    """Return entity words of two entities with random shares, about a third of them 0, and random weights."""
    words = E2EntityWords(tiny_config(weighted_entities=["brand", "colour"]))
    generator = torch.Generator().manual_seed(seed)
    words.shares.copy_((torch.rand(words.shares.shape, generator=generator) * 1.5 - 0.5).clamp(min=0))
    words.weight.data = torch.randn(2, generator=generator)
    return words


def test_entity_words_equal_a_loop():
    words, ids, states, pooled = entity_words(), torch.tensor([[3, 7, 7, 1], [5, 2, 9, 9]]), *torch.randn(2, 2, 4, 16)
    pooled = pooled[:, 0]
    expected = pooled.clone()
    for text in range(2):
        for entity, weight in enumerate(words.weight):
            shares = [words.shares[token, entity] for token in ids[text]]
            total = sum(share * state for share, state in zip(shares, states[text], strict=True))
            expected[text] += weight * total / max(1, sum(shares))
    torch.testing.assert_close(words(pooled, ids, states), expected)
    words.shares.zero_()
    assert torch.equal(words(pooled, ids, states), pooled), "no word names an entity"


def test_a_new_model_embeds_as_without_entity_words_and_learns_a_weight_an_entity():
    inputs, plain = tiny_inputs(), tiny_model(tag_entities=[], fusion_layers=[])
    model = tiny_model(tag_entities=[], fusion_layers=[], weighted_entities=["brand", "colour"])
    model.entity_words.shares.copy_(entity_words().shares)
    given = {name: inputs[name] for name in ("input_ids", "attention_mask", "pixel_values")}
    outputs = model(**given, return_loss=True)
    assert torch.equal(outputs.text_embeds, plain(**given).text_embeds)
    outputs.loss.backward()
    assert model.entity_words.weight.grad.shape == (2,) and model.entity_words.weight.grad.all()


def test_they_are_saved_and_loaded_with_their_shares(tmp_path):
    model = tiny_model(weighted_entities=["brand", "colour"])
    model.entity_words.load_state_dict(entity_words().state_dict())
    model.save_pretrained(tmp_path)
    again, inputs = AutoModel.from_pretrained(tmp_path), tiny_inputs()
    assert isinstance(again, E2Model) and again.config.weighted_entities == ["brand", "colour"]
    assert torch.equal(again.entity_words.shares, model.entity_words.shares)
    outputs = again(**inputs)
    assert torch.equal(outputs.text_embeds, model(**inputs).text_embeds)
    assert not torch.equal(outputs.text_embeds, tiny_model()(**inputs).text_embeds)


@pytest.mark.parametrize("text", ["siglip", "bert"])
def test_they_weigh_states_of_the_space_that_the_text_embedding_comes_from(text):
    fields = {"weighted_entities": ["brand"], "tag_entities": []}
    start = tiny_two_towers() if text == "siglip" else tiny_tower("dinov2")
    model = E2Model.from_towers(start, None if text == "siglip" else tiny_bert(), **fields)
    model.entity_words.shares[3], model.entity_words.weight.data[0] = 1, 2.0
    ids = torch.full((1, model.config.text_config.max_position_embeddings), 3)
    outputs = model.get_text_features(ids)
    states = model.token_states(outputs.last_hidden_state)
    pooled = states[:, -1] if text == "siglip" else states.mean(1)
    torch.testing.assert_close(outputs.pooler_output, model.text_projection(pooled + 2 * states.mean(1)))


def test_a_new_token_names_no_entity(tmp_path):
    model = tiny_model(weighted_entities=["brand", "colour"])
    model.entity_words.load_state_dict(entity_words().state_dict())
    before, size = model.entity_words.shares.clone(), model.config.text_config.vocab_size
    model.resize_token_embeddings(size + 6)
    assert torch.equal(model.entity_words.shares[:size], before) and not model.entity_words.shares[size:].any()
    model.save_pretrained(tmp_path)
    new = torch.tensor([[size + 5, 3]])
    loaded = AutoModel.from_pretrained(tmp_path).get_text_features(new).pooler_output
    torch.testing.assert_close(loaded, model.get_text_features(new).pooler_output)
    model.resize_token_embeddings(size - 1)
    assert torch.equal(model.entity_words.shares, before[:-1])
