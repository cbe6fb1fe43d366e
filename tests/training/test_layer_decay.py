"""Layer-wise decay by the names of parameters, against a naive count of layers, on the towers of every family."""

import pytest

from hf_fashion.training.layer_decay import layer_scales
from tests.tiny_e2 import tiny_model
from tests.tiny_e2_families import FAMILIES, tiny_baseline, tiny_clip, tiny_e2_on


def naive_scales(model, layers, in_front, decay) -> dict[str, float]:
    """Walk through modules where the package reads names."""
    scales = {id(parameter): 1.0 for parameter in model.parameters()}
    for place, layer in enumerate(layers):
        scales |= {id(parameter): decay ** (len(layers) - place) for parameter in layer.parameters()}
    for module in in_front:
        scales |= {id(parameter): decay ** (len(layers) + 1) for parameter in module.parameters()}
    return {name: scales[id(parameter)] for name, parameter in model.named_parameters()}


def names_of(model) -> list[str]:
    return [name for name, _ in model.named_parameters()]


@pytest.mark.parametrize("family", FAMILIES)
def test_vision_towers_of_an_e2(family):
    model = tiny_e2_on(family)
    tower = getattr(model.vision_model, "tower", model.vision_model)
    in_front = [tower.embeddings] + ([tower.pre_layrnorm] if family == "clip_vision_model" else [])
    layers = next(
        tower.get_submodule(path)
        for path in ("encoder.layers", "encoder.layer", "model.layer", "layers")
        if path in dict(tower.named_modules())
    )
    expected = naive_scales(model, layers, in_front, 0.5)
    assert layer_scales(names_of(model), {"vision_model": 0.5}, model.new_modules) == expected
    assert set(expected.values()) == {1.0, 0.5, 0.25, 0.125, 0.0625}, "three layers and what is in front of them"


@pytest.mark.parametrize("model", [tiny_clip(), tiny_baseline(), tiny_model()], ids=["clip", "bert", "e2"])
def test_both_towers_each_with_its_decay(model):
    text, new = model.text_model, getattr(model, "new_modules", ())
    layers = text.get_submodule("encoder.layer" if text.config.model_type == "bert" else "encoder.layers")
    vision = layer_scales(names_of(model), {"vision_model": 0.5}, new)
    expected = naive_scales(model, layers, [text.embeddings], 0.9)
    both = layer_scales(names_of(model), {"vision_model": 0.5, "text_model": 0.9}, new)
    assert both == {name: vision[name] * scale for name, scale in expected.items()}


def test_new_modules_and_what_is_behind_the_layers_keep_their_rate():
    model = tiny_model()
    scales = layer_scales(names_of(model), {"vision_model": 0.5}, model.new_modules)
    kept = {name for name, scale in scales.items() if scale == 1 and name.startswith("vision_model")}
    parts = ("selection_tokens", "encoder.fusion_blocks", "post_layernorm")
    assert kept == {name for name in scales if name.startswith(tuple(f"vision_model.{part}" for part in parts))}


def test_without_decays_nothing_changes():
    assert set(layer_scales(names_of(tiny_model()), {}).values()) == {1.0}


@pytest.mark.parametrize(("key", "found"), [("visual", "of none"), ("", r"of text_model\.encoder\.layers\., vision")])
def test_a_key_that_names_no_single_tower_is_refused(key, found):
    with pytest.raises(ValueError, match=rf"names '{key}'.*{found}.*parts are .*text_model, vision_model"):
        layer_scales(names_of(tiny_model()), {key: 0.5})
