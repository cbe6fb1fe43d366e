"""E2 on the vision models of every family in the table: nothing of them is lost, every weight learns."""

import copy

import pytest
import torch
from transformers import AutoModel, SwinConfig

from hf_fashion import E2Config, E2Model, E2TowerVisionModel, E2VisionModel
from hf_fashion.models.e2.towers_e2 import TOWER_FAMILIES, num_prefix_tokens, tower_family
from tests.tiny_towers import LAYERS, hide_new_tokens, tiny_bert, tiny_pixels, tiny_tower


def e2_on(family: str, **fields) -> E2Model:
    defaults = {"tag_entities": ["brand"], "projection_dim": 12}
    return E2Model.from_towers(tiny_tower(family), tiny_bert(), **(defaults | fields))


def own_embedding(family: str, images: torch.Tensor) -> torch.Tensor:
    """The image embedding that users take of the bare model."""
    outputs = tiny_tower(family)(images)
    if TOWER_FAMILIES[family].pooling == "attention_head":
        return outputs.pooler_output
    states = outputs.last_hidden_state
    return states[:, 0] if TOWER_FAMILIES[family].pooling == "class_token" else states.mean(1)


@pytest.mark.parametrize("family", TOWER_FAMILIES)
def test_nothing_of_a_tower_is_lost(family):
    """With the new tokens hidden from attention and the patches kept, the embedding is the bare model's."""
    model, expected = e2_on(family, drop_patch_tokens=False), own_embedding(family, tiny_pixels())
    assert not torch.allclose(model.vision_model(tiny_pixels()).pooler_output, expected)
    hide_new_tokens(model, first=num_prefix_tokens(model.vision_model.tower.config))
    torch.testing.assert_close(model.vision_model(tiny_pixels()).pooler_output, expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("family", TOWER_FAMILIES)
def test_every_weight_of_a_tower_learns(family, tmp_path):
    """Also of a model that was loaded, whose parameters transformers makes trainable: DDP waits for each."""
    e2_on(family).save_pretrained(tmp_path)
    model, ids = E2Model.from_pretrained(tmp_path).train(), torch.arange(1, 11).view(2, 5)
    loss = model(input_ids=ids, pixel_values=tiny_pixels(), tag_input_ids=ids[:, None], return_loss=True).loss
    loss.backward()
    assert [name for name, weight in model.named_parameters() if weight.grad is None] == []


@pytest.mark.parametrize("family", TOWER_FAMILIES)
def test_selections_are_of_patches_only(family):
    outputs = e2_on(family)(pixel_values=tiny_pixels())
    assert outputs.region_embeds.shape == (2, 1, 12)
    assert [selection.scores.shape for selection in outputs.selections] == [(2, 2, 16)]  # 16 patches of 4x4 pixels
    tokens = outputs.vision_model_output.last_hidden_state.shape[1]
    config = tiny_tower(family).config
    drops = tower_family(config).pooling == "class_token"
    assert tokens == num_prefix_tokens(config) + 2 + (0 if drops else 16)


@pytest.mark.parametrize("family", TOWER_FAMILIES)
def test_the_image_side_loads_from_the_whole_folder(family, tmp_path):
    model = e2_on(family)
    model.save_pretrained(tmp_path)
    image_side = E2VisionModel.from_pretrained(tmp_path)
    torch.testing.assert_close(image_side(tiny_pixels()).region_embeds, model.get_region_features(tiny_pixels()))
    image_side.save_pretrained(tmp_path / "image_side")
    for auto_class in (AutoModel, E2VisionModel, E2TowerVisionModel):
        loaded = auto_class.from_pretrained(tmp_path / "image_side")
        assert type(loaded) is type(copy.deepcopy(image_side)) is E2TowerVisionModel
        assert torch.equal(loaded(tiny_pixels()).image_embeds, image_side(tiny_pixels()).image_embeds)


@pytest.mark.parametrize("family", TOWER_FAMILIES)
def test_other_sizes_than_the_trained_one(family):
    outputs = e2_on(family)(pixel_values=tiny_pixels(24), interpolate_pos_encoding=True)
    assert outputs.selections[0].scores.shape == (2, 2, 36)


@pytest.mark.parametrize("family", ["siglip_vision_model", "dinov2", "dinov3_vit"])
def test_a_tower_compiles_to_one_graph(family):
    tower = e2_on(family).vision_model
    compiled = torch.compile(tower, backend="eager", fullgraph=True)
    torch.testing.assert_close(compiled(tiny_pixels()).pooler_output, tower(tiny_pixels()).pooler_output)


def test_layers_below_the_first_selection_layer_see_what_the_bare_model_sees():
    outputs = e2_on("dinov2", first_selection_layer=2)(pixel_values=tiny_pixels(), output_hidden_states=True)
    bare = tiny_tower("dinov2")(tiny_pixels(), output_hidden_states=True).hidden_states
    for number in (0, 1):
        torch.testing.assert_close(outputs.vision_model_output.hidden_states[number], bare[number])
    assert outputs.vision_model_output.hidden_states[2].shape[1] == bare[2].shape[1] + 2


def test_a_tower_that_pools_its_patches_keeps_them():
    with pytest.raises(Exception, match=r"`drop_patch_tokens` must be False.*attention_head"):
        e2_on("siglip_vision_model", drop_patch_tokens=True)


@pytest.mark.parametrize("fields", [{"first_selection_layer": LAYERS + 1}, {"first_selection_layer": 0}])
def test_tokens_enter_at_a_layer_that_there_is(fields):
    with pytest.raises(Exception, match="first_selection_layer"):
        e2_on("dinov2", **fields)


def test_other_vision_models_are_refused_with_those_that_work():
    with pytest.raises(ValueError, match="'swin', only on: clip_vision_model, siglip_vision_model, dinov2"):
        tower_family(SwinConfig())
    with pytest.raises(ValueError, match="fixed resolution"):
        E2Config(vision_config={"model_type": "siglip2_vision_model"})
