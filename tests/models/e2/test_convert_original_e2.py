"""Converted checkpoints: parity with the published vision tower, and a whole checkpoint made on the spot."""

import pytest
import torch
from safetensors.torch import load_file

from hf_fashion.models.e2.convert_original_e2 import convert_model, convert_vision_model, convert_vision_weights


@pytest.fixture
def published(shared_fixtures):
    tensors = load_file(shared_fixtures / "e2_vision.safetensors")
    weights = {name: tensor for name, tensor in tensors.items() if name.startswith("visual.")}
    return weights, tensors


@pytest.mark.parametrize("slip", [False, True])
def test_parity_with_the_published_tower(published, slip):
    weights, tensors = published
    model = convert_vision_model(weights, num_attention_heads=4, last_entity_pools_one_token=slip)
    with torch.no_grad():
        outputs = model(tensors["input.pixel_values"])
    expected = [tensors[f"output.region_{entity}"] for entity in range(4)]
    if slip:
        expected[3] = tensors["output.region_3_as_published"]
    torch.testing.assert_close(outputs.image_embeds, tensors["output.image_embeds"], rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(outputs.region_embeds, torch.stack(expected, dim=1), rtol=1e-4, atol=1e-5)


def layer_weights(prefix: str, width: int) -> dict[str, torch.Tensor]:
    shapes = {
        "attn.in_proj_weight": (3 * width, width),
        "attn.in_proj_bias": (3 * width,),
        "attn.out_proj.weight": (width, width),
        "attn.out_proj.bias": (width,),
        "mlp.c_fc.weight": (2 * width, width),
        "mlp.c_fc.bias": (2 * width,),
        "mlp.c_proj.weight": (width, 2 * width),
        "mlp.c_proj.bias": (width,),
    } | {f"ln_{n}.{part}": (width,) for n in (1, 2) for part in ("weight", "bias")}
    return {prefix + name: torch.randn(shape) * 0.1 for name, shape in shapes.items()}


def published_checkpoint(width: int = 64, projection: int = 16) -> dict[str, torch.Tensor]:
    """Random weights in the names and shapes of the release, both towers."""
    torch.manual_seed(0)
    shapes = {"class_embedding": (width,), "conv1.weight": (width, 3, 8, 8), "positional_embedding": (5, width)}
    shapes |= {f"token_{n}_embedding": (width,) for n in range(1, 9)}
    shapes |= {f"proj_{kind}{block}": (width, width) for kind in "qkv" for block in ("", "2")}
    shapes |= dict.fromkeys(("proj", "proj_cls", "proj_cls_mid"), (width, projection))
    shapes |= {f"proj_s{entity}": (width, projection) for entity in range(1, 5)}
    norms = ["ln_pre", "ln_post", "ln_selection", *(f"ln_s{entity}" for entity in range(1, 5))]
    shapes |= {f"{norm}.{part}": (width,) for norm in norms for part in ("weight", "bias")}
    weights = {f"visual.{name}": torch.randn(shape) * 0.1 for name, shape in shapes.items()}
    for layer in range(12):
        weights |= layer_weights(f"visual.transformer.resblocks.{layer}.", width)
    for layer in range(2):
        weights |= layer_weights(f"transformer.resblocks.{layer}.", width)
    text = {"token_embedding.weight": (50, width), "positional_embedding": (9, width), "logit_scale": ()}
    text |= {"ln_final.weight": (width,), "ln_final.bias": (width,), "text_projection": (width, projection)}
    return weights | {name: torch.randn(shape) * 0.1 for name, shape in text.items()}


def test_a_whole_checkpoint_fills_every_weight(tmp_path):
    weights = published_checkpoint()
    model = convert_model(weights)
    torch.testing.assert_close(model.text_projection.weight, weights["text_projection"].T)
    torch.testing.assert_close(
        model.text_model.encoder.layers[1].self_attn.k_proj.weight,
        weights["transformer.resblocks.1.attn.in_proj_weight"][64:128],
    )
    assert model.config.tag_entities[0] == "composition" and model.config.fusion_layers == [8, 11]
    model.save_pretrained(tmp_path)
    assert (tmp_path / "model.safetensors").is_file()
    outputs = model(torch.tensor([[48, 3, 49]]), torch.randn(1, 3, 16, 16))
    assert outputs.logits_per_image.shape == (1, 1)


def test_tokens_stand_in_reverse_order():
    weights = published_checkpoint()
    converted = convert_vision_weights(weights)
    torch.testing.assert_close(
        converted["vision_model.selection_tokens.weight"][0], weights["visual.token_8_embedding"]
    )


def test_an_unknown_tensor_is_named():
    with pytest.raises(ValueError, match=r"visual\.surprise"):
        convert_vision_weights(published_checkpoint() | {"visual.surprise": torch.zeros(1)})
