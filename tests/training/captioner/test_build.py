"""The captioner that a run starts with: weights of the embedding model, a decoder from scratch or a pretrained one."""

import pytest
import torch
from transformers import GPT2Config, GPT2LMHeadModel

from hf_fashion.training.captioner.build import Bridge, choose_memory, make_model, make_processor
from hf_fashion.training.captioner.recipe import CaptionerModelRecipe
from hf_fashion.training.captioner.tokenizer import train_caption_tokenizer
from tests.tiny_captioner import CAPTIONS
from tests.tiny_e2 import tiny_model, tiny_processor


SMALL = {"n_embd": 16, "n_layer": 1, "n_head": 2}


def made(bridge: Bridge, **fields):
    recipe = CaptionerModelRecipe(embedder="e2", vocab_size=300, max_caption_length=16, **fields)
    processor = make_processor(recipe, CAPTIONS, tiny_processor())
    return make_model(recipe, tiny_model(), processor.tokenizer, bridge), processor


def test_a_decoder_from_scratch_over_the_embedding_model():
    memory = torch.nn.functional.normalize(torch.randn(3, 12), dim=-1)
    model, processor = made(Bridge(memory=memory), method="decap", decoder_config=SMALL)
    assert all(
        torch.equal(model.embedder.state_dict()[name], weight) for name, weight in tiny_model().state_dict().items()
    )
    assert torch.equal(model.support_memory, memory) and model.config.memory_size == 3
    config = model.config.decoder_config
    assert (config.n_embd, config.vocab_size, config.n_positions) == (16, len(processor.tokenizer), 20)
    assert config.eos_token_id == processor.tokenizer.eos_token_id and processor.max_caption_length == 16
    assert made(Bridge(0.25), method="capdec", decoder_config=SMALL)[0].config.noise_variance == 0.25


def test_a_pretrained_decoder_keeps_its_weights_and_tokenizer(tmp_path):
    tokenizer = train_caption_tokenizer(CAPTIONS, 280)
    decoder = GPT2LMHeadModel(GPT2Config(**SMALL, vocab_size=len(tokenizer), n_positions=40))
    decoder.save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    model, processor = made(Bridge(), method="capdec", decoder=str(tmp_path))
    assert len(processor.tokenizer) == len(tokenizer)
    assert torch.equal(model.decoder.transformer.wte.weight, decoder.transformer.wte.weight)
    assert model.decoder.lm_head.weight is model.decoder.transformer.wte.weight
    smaller = GPT2LMHeadModel(GPT2Config(**SMALL, vocab_size=100, n_positions=40))
    smaller.save_pretrained(tmp_path)
    with pytest.raises(ValueError, match=r"tokenizer of `model.decoder` has \d+ tokens, its model embeds 100"):
        made(Bridge(), method="capdec", decoder=str(tmp_path))


def test_the_memory_is_all_captions_or_a_draw_of_them_in_order():
    embeds = torch.arange(6.0)[:, None]
    assert torch.equal(choose_memory(embeds, 10, 0), embeds)
    drawn = choose_memory(embeds, 3, 0).flatten().tolist()
    assert len(drawn) == 3 and drawn == sorted(drawn) and choose_memory(embeds, 3, 0).flatten().tolist() == drawn
