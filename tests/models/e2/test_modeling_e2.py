"""E2 read as its manual: towers, selection, losses, starting from a CLIP."""

import inspect
import re
from dataclasses import fields
from pathlib import Path

import pytest
import torch
from accelerate import cpu_offload
from peft import LoraConfig, get_peft_model
from transformers import AutoModel, CLIPModel

from hf_fashion import E2Model, E2VisionModel
from hf_fashion.models.e2.modeling_e2 import distinct_rows
from tests.tiny_e2 import tiny_config, tiny_inputs, tiny_model
from tests.tiny_filip import tiny_filip
from tests.tiny_siglip import tiny_siglip
from tests.tiny_towers import hide_new_tokens, tiny_clip


# Outputs.


def test_output_shapes():
    outputs = tiny_model()(**tiny_inputs(3), return_loss=True)
    assert outputs.image_embeds.shape == outputs.text_embeds.shape == (3, 12)
    assert outputs.region_embeds.shape == outputs.tag_embeds.shape == (3, 2, 12)
    assert outputs.logits_per_image.shape == (3, 3)
    assert [s.scores.shape for s in outputs.selections] == [(3, 4, 16)] * 2
    assert [s.indices.shape for s in outputs.selections] == [(3, 4)] * 2
    assert set(outputs.losses) == {"contrastive", "region"}


def test_values_stand_in_the_order_of_the_fields():
    inputs = {name: value for name, value in tiny_inputs(3).items() if not name.startswith("tag")}
    outputs = tiny_model()(**inputs, return_loss=True)
    assert outputs[0] is outputs.loss and outputs[1] is outputs.logits_per_image
    assert tiny_model()(**inputs, return_dict=False)[0].shape == (3, 3)
    assert list(outputs) == [field.name for field in fields(outputs) if getattr(outputs, field.name) is not None]


def test_a_configuration_without_return_dict_gives_tuples():
    model, pixels = tiny_model(), tiny_inputs(3)["pixel_values"]
    side = E2VisionModel(model.config.vision_config).eval()
    expected, regions = side(pixels).image_embeds, model.get_region_features(pixels)
    for config in (side.config, model.config.vision_config):
        config.return_dict = False
    found = side(pixels)
    assert isinstance(found, tuple) and torch.equal(found[0], expected)
    assert torch.equal(model.get_region_features(pixels), regions)


def test_embeddings_are_normalised():
    outputs = tiny_model()(**tiny_inputs(3))
    for embeds in (outputs.image_embeds, outputs.text_embeds, outputs.region_embeds, outputs.tag_embeds):
        torch.testing.assert_close(embeds.norm(dim=-1), torch.ones(embeds.shape[:-1]))


def test_images_or_texts_alone():
    model, inputs = tiny_model(), tiny_inputs()
    whole = model(**inputs)
    images = model(pixel_values=inputs["pixel_values"])
    texts = model(input_ids=inputs["input_ids"], attention_mask=inputs["attention_mask"])
    torch.testing.assert_close(images.image_embeds, whole.image_embeds)
    torch.testing.assert_close(texts.text_embeds, whole.text_embeds)
    assert images[0] is images.image_embeds and images.pooler_output is images.image_embeds
    assert texts.image_embeds is None and texts.logits_per_image is None


def test_features_are_what_clip_returns():
    model, inputs = tiny_model(), tiny_inputs()
    image = model.get_image_features(inputs["pixel_values"]).pooler_output
    text = model.get_text_features(inputs["input_ids"], inputs["attention_mask"]).pooler_output
    outputs = model(**inputs)
    torch.testing.assert_close(torch.nn.functional.normalize(image, dim=-1), outputs.image_embeds)
    torch.testing.assert_close(torch.nn.functional.normalize(text, dim=-1), outputs.text_embeds)
    regions = torch.nn.functional.normalize(model.get_region_features(inputs["pixel_values"]), dim=-1)
    torch.testing.assert_close(regions, outputs.region_embeds)


@pytest.mark.parametrize("make", [tiny_model, tiny_filip])
def test_arguments_by_place_are_clips(make):
    ours, clips = (list(inspect.signature(kind.forward).parameters) for kind in (type(make()), CLIPModel))
    assert ours[: len(clips) - 1] == clips[:-1]
    inputs = tiny_inputs()
    assert make()(inputs["input_ids"], inputs["pixel_values"], inputs["attention_mask"], None, True).loss.ndim == 0


def test_nothing_given_and_half_a_loss_are_refused():
    model, inputs = tiny_model(), tiny_inputs()
    with pytest.raises(ValueError, match="input_ids"):
        model()
    with pytest.raises(ValueError, match="return_loss"):
        model(pixel_values=inputs["pixel_values"], return_loss=True)


@pytest.mark.parametrize(("texts", "images", "tags"), [(3, 1, 1), (1, 3, 3), (3, 3, 1), (1, 1, 3)])
@pytest.mark.parametrize("contrastive_loss", ["info_nce", "sigmoid"])
def test_a_loss_needs_as_many_images_as_texts_and_tags(texts, images, tags, contrastive_loss):
    numbers = {"pixel_values": images, "tag_input_ids": tags, "tag_attention_mask": tags, "tag_ids": tags}
    inputs = {name: values[: numbers.get(name, texts)] for name, values in tiny_inputs(3).items()}
    model = tiny_model(contrastive_loss=contrastive_loss)
    assert model(**inputs).logits_per_image.shape == (images, texts)
    with pytest.raises(ValueError, match=f"got {images} images, {texts} texts and tags of {tags} products"):
        model(**inputs, return_loss=True)


def test_tags_of_other_entities_than_the_models_are_refused():
    model, inputs = tiny_model(), tiny_inputs(3)
    with pytest.raises(ValueError, match=r"2 `tag_entities` \['brand', 'season'\]; got \(3, 1, \d+\)"):
        model(**inputs | {"tag_input_ids": inputs["tag_input_ids"][:, :1]}, return_loss=True)
    with pytest.raises(ValueError, match=r"`tag_ids` must be of shape \(B, E\).* got \(3, 1\)"):
        model(**inputs | {"tag_ids": torch.zeros(3, 1)}, return_loss=True)
    del inputs["tag_input_ids"]
    with pytest.raises(ValueError, match="give the tags too, as `tag_input_ids`"):
        model(**inputs | {"tag_ids": torch.zeros(3, 2)}, return_loss=True)


def test_vision_model_loads_from_the_whole_folder(tmp_path):
    model, pixels = tiny_model(), tiny_inputs()["pixel_values"]
    model.save_pretrained(tmp_path)
    vision = E2VisionModel.from_pretrained(tmp_path)
    outputs = vision(pixels)
    torch.testing.assert_close(outputs.region_embeds, model.get_region_features(pixels))
    torch.testing.assert_close(outputs.image_embeds, model.get_image_features(pixels).pooler_output)


# Losses.


def test_equal_tags_get_equal_embeddings_and_ids():
    model, inputs = tiny_model(), tiny_inputs(3)
    inputs["tag_input_ids"][1] = inputs["tag_input_ids"][0]
    inputs["tag_attention_mask"][1] = inputs["tag_attention_mask"][0]
    embeds, ids = model.get_tag_features(inputs["tag_input_ids"], inputs["tag_attention_mask"])
    assert torch.equal(ids[0], ids[1]) and not torch.equal(ids[0], ids[2])
    one = model.get_text_features(inputs["tag_input_ids"][:, 0], inputs["tag_attention_mask"][:, 0]).pooler_output
    torch.testing.assert_close(embeds[:, 0], one)


def test_every_parameter_learns():
    model = tiny_model().train()
    model(**tiny_inputs(3), return_loss=True).loss.backward()
    assert [name for name, p in model.named_parameters() if p.grad is None] == []


# Starting from a CLIP.


@pytest.mark.parametrize(("patch_size", "layers"), [(4, 3), (8, 2), (2, 4)])
def test_from_clip_shares_every_weight(patch_size, layers):
    clip = tiny_clip(patch_size, layers)
    model = E2Model.from_clip(clip, tag_entities=["brand"])
    weights = model.state_dict()
    assert all(torch.equal(weights[name], tensor) for name, tensor in clip.state_dict().items())
    new = set(weights) - set(clip.state_dict())
    assert new and all(name.startswith(E2Model.new_modules) for name in new)


def test_from_clip_loses_nothing():
    """With the new tokens hidden from attention and the patches kept, image and text embeddings are the CLIP's."""
    clip = tiny_clip()
    model = E2Model.from_clip(clip, tag_entities=["brand"], drop_patch_tokens=False)
    pixels, ids = torch.randn(2, 3, 16, 16), torch.tensor([[97, 5, 98], [97, 6, 98]])
    expected = clip.get_image_features(pixels).pooler_output
    assert not torch.allclose(model.get_image_features(pixels).pooler_output, expected)
    hide_new_tokens(model, first=1)
    torch.testing.assert_close(model.get_image_features(pixels).pooler_output, expected)
    texts = [towers.get_text_features(ids).pooler_output for towers in (model, clip)]
    torch.testing.assert_close(*texts, rtol=0, atol=0)


@pytest.mark.parametrize("path", [str, Path])
def test_from_clip_takes_a_folder_and_keeps_dtype(path, tmp_path):
    tiny_clip().to(torch.bfloat16).save_pretrained(tmp_path)
    model = E2Model.from_clip(path(tmp_path), tag_entities=["brand"])
    assert model.dtype == model.visual_projection.weight.dtype == torch.bfloat16
    assert model.logit_scale.dtype == torch.float32
    assert model(pixel_values=torch.randn(1, 3, 16, 16)).region_embeds.shape == (1, 1, 12)


def test_from_clip_refuses_another_model():
    with pytest.raises(ValueError, match="CLIP"):
        E2Model.from_clip(tiny_model())


def test_from_clip_refuses_the_folder_of_another_model(tmp_path):
    tiny_siglip().save_pretrained(tmp_path)
    with pytest.raises(ValueError, match="must be a CLIP checkpoint"):
        E2Model.from_clip(str(tmp_path))


def test_from_clip_refuses_a_folder_that_lacks_weights(tmp_path):
    clip = tiny_clip()
    weights = clip.state_dict()
    del weights["text_projection.weight"]
    clip.save_pretrained(tmp_path, state_dict=weights)
    with pytest.raises(ValueError, match=r"not a whole 'clip' checkpoint: missing \['text_projection.weight'\]"):
        E2Model.from_clip(str(tmp_path))


def test_from_clip_reads_no_pickles(tmp_path):
    clip = tiny_clip()
    clip.config.save_pretrained(tmp_path)
    torch.save(clip.state_dict(), tmp_path / "pytorch_model.bin")
    with pytest.raises(OSError, match=r"no file named model\.safetensors"):
        E2Model.from_clip(tmp_path)


def test_starts_with_clips_own_spread_of_weights():
    """transformers skips containers in code outside its package; E2 must start like the CLIP it is compared with."""
    clip, model = tiny_clip(), tiny_model()
    for name in (
        "vision_model.encoder.layers.0.self_attn.q_proj.weight",
        "text_model.encoder.layers.0.mlp.fc2.weight",
    ):
        ratio = model.state_dict()[name].std() / clip.state_dict()[name].std()
        assert 0.7 < ratio < 1.4, name
    assert model.vision_model.selection_tokens.weight.detach().std().item() == pytest.approx(16**-0.5, rel=0.4)


def test_gradient_checkpointing_gives_the_same_gradients():
    inputs, gradients = tiny_inputs(3), []
    for checkpointing in (False, True):
        model = tiny_model().train()
        if checkpointing:
            model.gradient_checkpointing_enable()
        torch.manual_seed(0)
        model(**inputs, return_loss=True).loss.backward()
        gradients.append(model.vision_model.embeddings.patch_embedding.weight.grad)
    torch.testing.assert_close(*gradients)


def test_temperature_stays_in_float32(tmp_path):
    tiny_model().save_pretrained(tmp_path)
    model = E2Model.from_pretrained(tmp_path, dtype=torch.bfloat16, device_map="cpu")
    assert model.logit_scale.dtype == torch.float32
    assert model.visual_projection.weight.dtype == torch.bfloat16
    assert torch.isfinite(model(**tiny_inputs(), return_loss=True).loss)
    model.save_pretrained(tmp_path / "again")
    assert E2Model.from_pretrained(tmp_path / "again").dtype == torch.bfloat16


def test_fields_may_be_changed_while_loading(tmp_path):
    tiny_model().save_pretrained(tmp_path)
    model = E2Model.from_pretrained(tmp_path, drop_patch_tokens=False, selection_temperature=0.5)
    assert model.vision_model(tiny_inputs()["pixel_values"]).last_hidden_state.shape[1] == 1 + 4 + 16
    assert model.config.selection_temperature == 0.5
    for changes, message in (
        ({"region_targets": "multi-positive"}, "`region_targets` must be"),
        ({"region_loss_weight": -3.0}, "Loss weights must not be negative"),
        ({"first_selection_layer": 3}, "`fusion_layers` must rise strictly within first_selection_layer=3"),
    ):
        with pytest.raises(ValueError, match=message):
            E2Model.from_pretrained(tmp_path, **changes)


def test_offloaded_weights_are_fetched_by_calling_their_layers():
    model, inputs = tiny_model(), tiny_inputs()
    expected = model(**inputs).region_embeds
    torch.testing.assert_close(cpu_offload(model, execution_device="cpu")(**inputs).region_embeds, expected)


def test_peft_saves_all_fusion_blocks_by_their_name():
    model = get_peft_model(tiny_model().train(), LoraConfig(modules_to_save=["fusion_blocks"]))
    trained = {name for name, parameter in model.named_parameters() if parameter.requires_grad}
    assert sum("fusion_blocks.modules_to_save" in name for name in trained) == 6
    assert not any("fusion_blocks" in name and "lora_" in name for name in trained)


def test_every_adapter_learns():
    """LoRA wraps the layers of a fusion block; a wrapped layer must be called, or its adapter gets no gradient."""
    model = get_peft_model(tiny_model().train(), LoraConfig(target_modules=["q_proj", "k_proj", "v_proj"]))
    model(**tiny_inputs(3), return_loss=True).loss.backward()
    adapters = {name: p for name, p in model.named_parameters() if "lora_B" in name and "fusion_blocks" in name}
    assert len(adapters) == 6
    assert [name for name, p in adapters.items() if p.grad is None or p.grad.abs().sum() == 0] == []


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_parts_that_stay_in_float32_are_made_in_it(dtype):
    model = AutoModel.from_config(tiny_config(), dtype=dtype)
    kept = {name: tensor.dtype for name, tensor in model.state_dict().items() if re.match("logit_scale", name)}
    assert kept and set(kept.values()) == {torch.float32}


# Compiled.


def test_training_and_tags_compile_to_one_graph():
    model, inputs = tiny_model().train(), tiny_inputs(3)
    inputs["tag_input_ids"][2] = inputs["tag_input_ids"][0]
    inputs["tag_attention_mask"][2] = inputs["tag_attention_mask"][0]
    del inputs["tag_ids"]  # equal tags are found in the graph
    torch.manual_seed(0)  # training draws patches
    compiled = torch.compile(model, backend="eager", fullgraph=True)(**inputs, return_loss=True)
    torch.manual_seed(0)
    expected = model(**inputs, return_loss=True)
    for name in ("image_embeds", "text_embeds", "region_embeds", "tag_embeds", "loss"):
        torch.testing.assert_close(compiled[name], expected[name])
    compiled.loss.backward()
    assert [name for name, parameter in model.named_parameters() if parameter.grad is None] == []


def test_equal_rows_have_one_number_compiled_or_not():
    rows = torch.tensor([[1, 2], [3, 4], [1, 2], [1, 4], [3, 4]])
    for find in (distinct_rows, torch.compile(distinct_rows, backend="eager", fullgraph=True)):
        distinct, numbers = find(rows)
        assert torch.equal(distinct[numbers], rows)
        assert numbers[0] == numbers[2] and numbers[1] == numbers[4] and len(numbers.unique()) == 3
