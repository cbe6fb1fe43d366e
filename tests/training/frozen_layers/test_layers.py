"""Frozen layers: a model that starts from their outputs is the model that runs them, for every family of towers."""

import pytest
import torch
from torch import nn

from hf_fashion.training.e2.step import E2Step
from hf_fashion.training.frozen_layers.layers import FrozenLayers
from tests.tiny_e2 import IMAGE_SIZE, tiny_inputs, tiny_model
from tests.tiny_e2_families import FAMILIES, tiny_baseline, tiny_clip, tiny_e2_on
from tests.tiny_siglip import tiny_siglip


SIZE = (IMAGE_SIZE, IMAGE_SIZE)
DEEP = {"first_selection_layer": 3, "fusion_layers": [3]}


def inputs_of(model) -> dict[str, torch.Tensor]:
    inputs = tiny_inputs(4)
    if model.config.text_config.model_type == "siglip_text_model":  # it reads full lengths
        for name in ("input_ids", "tag_input_ids"):
            length = model.config.text_config.max_position_embeddings
            inputs[name] = nn.functional.pad(inputs[name], (0, length - inputs[name].shape[-1]))
        inputs = {name: value for name, value in inputs.items() if "mask" not in name}
    with_tags = bool(getattr(model.config, "tag_entities", None))
    return {name: value for name, value in inputs.items() if with_tags or not name.startswith("tag")}


def gradients(model) -> dict[str, torch.Tensor]:
    found = {name: p.grad.clone() for name, p in model.named_parameters() if p.grad is not None}
    model.zero_grad()
    return found


def require_same_training(model, frozen: FrozenLayers, losses) -> None:
    """Compare losses and gradients of whole passes with those that start from outputs, in float32."""
    inputs = inputs_of(model)
    frozen.freeze()
    expected = losses(inputs)
    expected.backward()
    whole = gradients(model)
    states = frozen.run(inputs["pixel_values"])
    assert states.ndim == 3 and not states.requires_grad
    with frozen.skipped():
        found = losses(inputs | {"pixel_values": states})
    found.backward()
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-5)
    skipped = gradients(model)
    assert set(skipped) == set(whole) and whole
    for name, gradient in whole.items():
        torch.testing.assert_close(skipped[name], gradient, rtol=1e-4, atol=1e-5, msg=name)
    torch.testing.assert_close(losses(inputs), expected)  # outside the block the model is as it was


@pytest.mark.parametrize("family", FAMILIES)
def test_an_e2_learns_the_same_from_outputs_as_from_pixels(family):
    model = tiny_e2_on(family, **DEEP)
    frozen = FrozenLayers(model, 2, SIZE)
    require_same_training(model, frozen, lambda inputs: E2Step()(model, model, inputs)["loss"])


@pytest.mark.parametrize("make", [tiny_clip, tiny_siglip, tiny_baseline])
def test_a_baseline_learns_the_same_from_outputs_as_from_pixels(make):
    model = make(layers=3) if make is tiny_siglip else make()
    frozen = FrozenLayers(model, 2, SIZE)
    require_same_training(model, frozen, lambda inputs: model(**inputs, return_loss=True).loss)


def test_layers_that_are_recomputed_in_the_backward_pass_learn_the_same():
    model = tiny_e2_on("dinov2", **DEEP)
    frozen = FrozenLayers(model, 2, SIZE)
    model.gradient_checkpointing_enable()
    model.train()

    def losses(inputs):
        torch.manual_seed(0)  # the fusion blocks draw
        return E2Step()(model, model, inputs)["loss"]

    require_same_training(model, frozen, losses)


def test_what_is_frozen():
    model = tiny_e2_on("clip_vision_model", **DEEP)
    FrozenLayers(model, 2, SIZE).freeze()
    frozen = {name for name, parameter in model.named_parameters() if not parameter.requires_grad}
    parts = ("embeddings.", "pre_layrnorm.", "encoder.layers.0.", "encoder.layers.1.")
    assert frozen == {
        name
        for name, _ in model.named_parameters()
        if name.startswith(tuple(f"vision_model.{part}" for part in parts))
    }


def test_an_error_in_the_block_leaves_the_model_as_it_was():
    model, inputs = tiny_clip(), tiny_inputs(2)["pixel_values"]
    frozen, before = FrozenLayers(model, 1, SIZE), model.get_image_features(inputs).pooler_output
    with pytest.raises(KeyboardInterrupt), frozen.skipped():
        raise KeyboardInterrupt
    torch.testing.assert_close(model.get_image_features(inputs).pooler_output, before)


def test_running_them_leaves_the_mode_of_the_model():
    model, inputs = tiny_e2_on("dinov2", **DEEP), tiny_inputs(2)["pixel_values"]
    frozen = FrozenLayers(model, 2, SIZE)
    expected = frozen.run(inputs)
    model.train()
    torch.testing.assert_close(frozen.run(inputs), expected)
    assert all(module.training for module in model.modules())


def test_an_e2_and_the_clip_that_it_started_from_share_a_fingerprint():
    clip = tiny_clip()
    e2 = type(tiny_model()).from_clip(clip, tag_entities=["brand", "season"], **DEEP)
    prints = [FrozenLayers(model, 2, SIZE).fingerprint() for model in (clip, e2)]
    assert prints[0] == prints[1]
    assert FrozenLayers(clip, 1, SIZE).fingerprint() != prints[0]
    with torch.no_grad():
        clip.vision_model.encoder.layers[2].mlp.fc1.weight.add_(1)  # it is not frozen
    assert FrozenLayers(clip, 2, SIZE).fingerprint() == prints[0]
    with torch.no_grad():
        clip.vision_model.encoder.layers[1].mlp.fc1.weight[0, 0].add_(1e-3)
    assert FrozenLayers(clip, 2, SIZE).fingerprint() != prints[0]


def test_an_e2_and_its_baseline_of_the_same_towers_share_a_fingerprint():
    baseline, e2 = tiny_baseline(), tiny_e2_on("dinov2", **DEEP)
    e2.vision_model.tower.load_state_dict(baseline.vision_model.tower.state_dict())
    assert FrozenLayers(baseline, 2, SIZE).fingerprint() == FrozenLayers(e2, 2, SIZE).fingerprint()


@pytest.mark.parametrize("number", [0, 3])
def test_at_least_one_layer_is_trained(number):
    with pytest.raises(ValueError, match=rf"must be within 1\.\.2.*3 layers is trained; got {number}"):
        FrozenLayers(tiny_clip(), number, SIZE)


def test_tokens_must_enter_above():
    with pytest.raises(ValueError, match=r"tokens enter before layer 2.*first_selection_layer` to 3"):
        FrozenLayers(tiny_e2_on("dinov2", first_selection_layer=2), 2, SIZE)


def test_another_family_is_refused():
    model = tiny_baseline()
    model.vision_model.tower.config.model_type = "swin"
    with pytest.raises(ValueError, match="'swin', only on: clip_vision_model"):
        FrozenLayers(model, 1, SIZE)
