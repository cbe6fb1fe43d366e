"""Captioners: CapDec's noise, DeCap's projection, losses and captions against plain loops; learning from texts."""

import json
import math

import pytest
import torch
from torch.nn.functional import cross_entropy, normalize
from transformers import AutoModel, CLIPConfig, CompileConfig, GenerationConfig, Trainer, TrainingArguments

from hf_fashion.models.captioner.modeling_captioner import CaptionerForConditionalGeneration
from tests.tiny_captioner import CAPTIONS, tiny_caption_processor, tiny_captioner, tiny_captioner_config
from tests.tiny_e2 import tiny_images


def inputs(**more) -> dict[str, torch.Tensor]:
    return dict(tiny_caption_processor()(text=CAPTIONS)) | more


def test_decap_projects_onto_the_memory_as_a_plain_loop_does():
    model = tiny_captioner(method="decap")
    embeds = normalize(torch.randn(2, 12), dim=-1)
    for embed, projected in zip(embeds, model._projected(embeds), strict=True):
        weights = [math.exp(float(embed @ text) * 150) for text in model.support_memory]
        whole = sum(weight / sum(weights) * text for weight, text in zip(weights, model.support_memory, strict=True))
        torch.testing.assert_close(projected, whole / whole.norm(), atol=1e-5, rtol=0)


def test_decap_weighs_the_memory_in_float32_whatever_the_model_computes_in():
    half, exact = tiny_captioner(method="decap").bfloat16(), tiny_captioner(method="decap")
    exact.support_memory.copy_(half.support_memory)
    embeds = torch.randn(64, 12).bfloat16()
    expected = exact._embeds(None, embeds, None)
    torch.testing.assert_close(half._embeds(None, embeds, None), expected.bfloat16(), rtol=0, atol=0)
    with torch.autocast("cpu", torch.bfloat16):
        torch.testing.assert_close(exact._embeds(None, embeds, None), expected)


def test_an_embedding_of_the_memory_stays_what_it_is():
    model = tiny_captioner(method="decap")
    torch.testing.assert_close(model._projected(model.support_memory[:1]), model.support_memory[:1], atol=1e-2, rtol=0)


def test_capdec_adds_noise_of_its_variance_in_training_only():
    model = tiny_captioner(noise_variance=0.25)
    embeds = normalize(torch.randn(4000, 12), dim=-1)
    assert torch.equal(model._noised(embeds), embeds)
    torch.manual_seed(0)
    noised = model.train()._noised(embeds)
    torch.manual_seed(0)
    torch.testing.assert_close(noised, normalize(embeds + 0.5 * torch.randn(4000, 12), dim=-1))
    assert torch.equal(tiny_captioner(method="decap").train()._noised(embeds), embeds)


def test_the_loss_is_that_of_each_next_token_and_padding_does_not_count():
    model, batch = tiny_captioner(), inputs(text_embeds=torch.randn(3, 12))
    outputs = model(**batch)
    rows, (_, length) = [], batch["input_ids"].shape
    for row in range(3):
        rows += [
            cross_entropy(outputs.logits[row, n], batch["labels"][row, n])
            for n in range(length)
            if batch["labels"][row, n] >= 0
        ]
    torch.testing.assert_close(outputs.loss, torch.stack(rows).mean())
    ids = batch["input_ids"][:1, :3]
    single = model(text_embeds=batch["text_embeds"][:1], input_ids=ids)
    torch.testing.assert_close(single.logits, outputs.logits[:1, :3], atol=1e-5, rtol=0)
    assert single.loss is None


def test_trainer_averages_the_loss_of_accumulated_batches(tmp_path):
    model = tiny_captioner(noise_variance=0.0)
    batch = inputs(text_embeds=torch.randn(3, 12))
    arguments = TrainingArguments(
        tmp_path,
        gradient_accumulation_steps=4,
        max_steps=1,
        logging_steps=1,
        learning_rate=0.0,
        save_strategy="no",
        report_to=[],
        use_cpu=True,
    )
    trainer = Trainer(model, arguments, train_dataset=[0] * 32, data_collator=lambda rows: dict(batch))
    trainer.train()
    assert trainer.state.log_history[0]["loss"] == pytest.approx(model.eval()(**batch).loss.item(), rel=0.1)


def test_generated_captions_are_the_likeliest_tokens_one_by_one():
    model, pixels = tiny_captioner(), tiny_caption_processor()(images=tiny_images(2), return_tensors="pt")
    tokens = model.generate(**pixels, do_sample=False)
    embeds = model.embedder.get_image_features(**pixels).pooler_output
    assert torch.equal(model.generate(image_embeds=embeds, do_sample=False), tokens)
    written = torch.zeros(2, 0, dtype=torch.long)
    for _ in range(tokens.shape[1]):
        asked = torch.cat([written, torch.zeros(2, 1, dtype=torch.long)], dim=1)
        written = torch.cat([written, model(image_embeds=embeds, input_ids=asked).logits[:, -1:].argmax(-1)], dim=1)
    ended = (written == 0).cumsum(1) - (written == 0).long() > 0  # what follows the end is padding
    assert torch.equal(tokens, written.masked_fill(ended, 0))


@pytest.mark.parametrize("method", ["capdec", "decap"])
def test_it_learns_from_texts_to_put_photos_into_words(method):
    """Photos lie near their texts: a decoder that never saw one describes them all."""
    torch.manual_seed(0)
    texts = normalize(torch.randn(3, 12), dim=-1)
    photos = normalize(texts + 0.1 * torch.randn(3, 12), dim=-1)
    model = tiny_captioner(method=method, noise_variance=0.01, memory_size=3 if method == "decap" else 0).train()
    if method == "decap":
        model.support_memory.copy_(texts)
    optimizer = torch.optim.Adam([*model.prefix.parameters(), *model.decoder.parameters()], lr=2e-2)
    for _ in range(30):
        optimizer.zero_grad()
        model(**inputs(text_embeds=texts)).loss.backward()
        optimizer.step()
    tokens = model.eval().generate(image_embeds=photos, do_sample=False)
    assert tiny_caption_processor().batch_decode(tokens, skip_special_tokens=True) == CAPTIONS


@pytest.mark.parametrize("given", [{}, {"image_embeds": torch.ones(3, 12), "text_embeds": torch.ones(3, 12)}])
def test_one_thing_is_described(given):
    with pytest.raises(ValueError, match="exactly one of `pixel_values`, `image_embeds` and"):
        tiny_captioner()(**inputs(**given))


@pytest.mark.parametrize("name", ["image_embeds", "text_embeds"])
def test_embeddings_of_another_dimension_are_refused(name):
    model = tiny_captioner()
    embeds = {name: torch.ones(2, 5)}
    with pytest.raises(ValueError, match=r"must have 12 numbers, .*E2Model.*; got shape \(2, 5\)"):
        model(input_ids=torch.ones(2, 3, dtype=torch.long), **embeds)


def test_captions_are_needed():
    with pytest.raises(ValueError, match="`input_ids` are missing"):
        tiny_captioner()(text_embeds=torch.ones(1, 12))


def test_over_clip_and_opt(tmp_path):
    sizes = {"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
    vision = sizes | {"image_size": 16, "patch_size": 8}
    clip = CLIPConfig(text_config=sizes | {"vocab_size": 99}, vision_config=vision, projection_dim=12)
    opt = {"model_type": "opt", "hidden_size": 16, "ffn_dim": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
    opt |= {"word_embed_proj_dim": 16, "vocab_size": 300, "max_position_embeddings": 40}
    model = CaptionerForConditionalGeneration(
        tiny_captioner_config(decoder_config=opt | {"eos_token_id": 0, "pad_token_id": 0}, embedder_config=clip)
    ).eval()
    model.save_pretrained(tmp_path)
    loaded = AutoModel.from_pretrained(tmp_path)
    pixels = torch.rand(2, 3, 16, 16)
    assert torch.equal(loaded.generate(pixels, do_sample=False), model.generate(pixels, do_sample=False))
    saved = json.loads((tmp_path / "config.json").read_text())
    assert saved["custom_pipelines"]["image-to-text"]["impl"] == "pipeline_captioner.FashionCaptioningPipeline"


def test_what_limits_a_caption():
    model, embeds = tiny_captioner(), torch.randn(2, 12)
    positions, prefix = model.config.decoder_config.max_position_embeddings, model.config.prefix_length
    ignoring_ends = {"do_sample": False, "eos_token_id": None, "pad_token_id": 0}
    assert model.generate(image_embeds=embeds, **ignoring_ends).shape[1] == model.config.max_caption_length
    given = GenerationConfig(max_new_tokens=3, **ignoring_ends)
    assert model.generate(image_embeds=embeds, generation_config=given).shape[1] == 3
    with pytest.raises(ValueError, match=rf"has {positions} positions .* give at most {positions - prefix}\."):
        model.generate(image_embeds=embeds, max_new_tokens=positions)
    for unlimited in (None, GenerationConfig(**ignoring_ends)):
        captions = model.generate(image_embeds=embeds, **ignoring_ends, generation_config=unlimited)
        assert captions.shape[1] == model.config.max_caption_length
    model.decoder.generation_config.max_new_tokens = 2
    assert model.generate(image_embeds=embeds, **ignoring_ends).shape[1] == 2
    model.decoder.generation_config.max_new_tokens = positions
    with pytest.raises(ValueError, match=rf"give at most {positions - prefix}\."):
        model.generate(image_embeds=embeds, **ignoring_ends)


def test_a_length_with_the_prefix_may_take_all_positions_and_no_more():
    model, embeds = tiny_captioner(), torch.randn(2, 12)
    positions, prefix = model.config.decoder_config.max_position_embeddings, model.config.prefix_length
    ignoring_ends = {"do_sample": False, "eos_token_id": None, "pad_token_id": 0}
    assert model.generate(image_embeds=embeds, max_length=positions, **ignoring_ends).shape[1] == positions - prefix
    longer = GenerationConfig(max_length=positions + 1)
    model.decoder.generation_config.max_length = positions + 1
    for given in ({"max_length": positions + 1}, {"generation_config": longer}, {}):
        with pytest.raises(ValueError, match=rf"`max_length` is {positions + 1}, .* give at most {positions}\."):
            model.generate(image_embeds=embeds, **given)
    assert model.generate(image_embeds=embeds, max_new_tokens=3, **ignoring_ends).shape[1] == 3


def test_the_settings_of_the_decoder_are_saved(tmp_path):
    model, embeds = tiny_captioner(), torch.randn(2, 12)
    model.save_pretrained(tmp_path)
    assert json.loads((tmp_path / "config.json").read_text())["decoder_generation"] is None
    settings = model.decoder.generation_config
    settings.max_length, settings.repetition_penalty, settings.eos_token_id = 5, 1.7, None
    model.save_pretrained(tmp_path)
    loaded = CaptionerForConditionalGeneration.from_pretrained(tmp_path)
    changed = {"max_length": 5, "repetition_penalty": 1.7, "eos_token_id": None}
    assert loaded.config.decoder_generation == changed
    assert loaded.decoder.generation_config.to_diff_dict() == settings.to_diff_dict()
    assert torch.equal(loaded.generate(image_embeds=embeds), model.generate(image_embeds=embeds))
    settings.compile_config = CompileConfig()  # of this machine: transformers does not save it either
    model.save_pretrained(tmp_path)
    settings.sequence_bias = {(3,): object()}
    with pytest.raises(ValueError, match=r"`decoder\.generation_config` cannot be saved"):
        model.save_pretrained(tmp_path)
    settings.sequence_bias, settings.chat_format = None, "chatml"  # some decoders have settings of their own
    model.save_pretrained(tmp_path)
    loaded = CaptionerForConditionalGeneration.from_pretrained(tmp_path)
    assert loaded.decoder.generation_config.chat_format == "chatml"
    changed["chat_format"] = "chatml"
    settings.repetitionpenalty = 1.7
    with pytest.raises(ValueError, match=r"names 'repetitionpenalty', .* write 'repetition_penalty'"):
        model.save_pretrained(tmp_path)
    assert CaptionerForConditionalGeneration.from_pretrained(tmp_path).config.decoder_generation == changed


def test_a_misspelt_setting_of_the_decoder_is_refused():
    with pytest.raises(ValueError, match=r"names 'repetitionpenalty', .* write 'repetition_penalty'"):
        tiny_captioner(decoder_generation={"repetitionpenalty": 1.7, "max_length": 5})


def test_embeddings_of_another_number_of_tokens_are_saved_and_loaded(tmp_path):
    model, embeds = tiny_captioner(), torch.randn(2, 12)
    model.resize_token_embeddings(400)
    assert model.config.decoder_config.vocab_size == 400
    model.save_pretrained(tmp_path)
    loaded = CaptionerForConditionalGeneration.from_pretrained(tmp_path)
    assert loaded.get_input_embeddings().num_embeddings == 400
    assert torch.equal(loaded.generate(image_embeds=embeds), model.generate(image_embeds=embeds))
