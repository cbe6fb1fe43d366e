"""E2's configuration: where its fields live, what it refuses, what survives saving."""

import pytest
from transformers import CLIPConfig, CLIPVisionConfig

from hf_fashion import E2Config, E2Model, E2VisionConfig, E2VisionModel, FilipModel
from tests.tiny_e2 import tiny_config
from tests.tiny_e2_families import tiny_e2_on
from tests.tiny_siglip import tiny_siglip
from tests.tiny_towers import tiny_clip


def test_vision_fields_may_be_given_to_the_whole_configuration():
    config = E2Config(tag_entities=["brand"], tokens_per_entity=3, fusion_layers=[4], drop_patch_tokens=False)
    assert config.vision_config.tag_entities == config.tag_entities == ["brand"]
    assert config.vision_config.num_selection_tokens == 3
    assert config.vision_config.fusion_layers == [4] and not config.drop_patch_tokens


@pytest.mark.parametrize(("layers", "expected"), [(12, [8, 11]), (8, [5, 7]), (4, [2, 3]), (2, [1]), (1, [])])
def test_fusion_layers_follow_the_depth(layers, expected):
    assert E2VisionConfig(num_hidden_layers=layers).fusion_layers == expected


def test_saved_and_read_is_equal(tmp_path):
    config = E2Config(tag_entities=["a", "b"], vision_config={"patch_size": 16}, region_targets="diagonal")
    config.save_pretrained(tmp_path)
    assert E2Config.from_pretrained(tmp_path).to_dict() == config.to_dict()
    assert E2VisionConfig.from_pretrained(tmp_path).tag_entities == ["a", "b"]


def test_one_projection_size():
    config = E2Config(projection_dim=64, text_config={"projection_dim": 32})
    assert config.text_config.projection_dim == config.vision_config.projection_dim == 64


def test_a_projection_that_is_changed_while_loading_reaches_the_towers(tmp_path):
    tiny_e2_on("dinov2").config.save_pretrained(tmp_path)
    config = E2Config.from_pretrained(tmp_path, projection_dim=8)
    assert (config.projection_dim, config.vision_config.projection_dim) == (8, 8)
    E2Model(config).save_pretrained(tmp_path / "model")
    assert E2Model.from_pretrained(tmp_path / "model").region_head.projection_dim == 8
    config = E2Config.from_pretrained(tmp_path, project_towers=False)
    assert not config.project_towers and not config.vision_config.project_tower


@pytest.mark.parametrize(("field", "value"), [("projection_dim", 8), ("project_towers", False)])
def test_a_projection_that_the_towers_do_not_know_is_refused(field, value):
    config = tiny_e2_on("dinov2").config
    setattr(config, field, value)
    with pytest.raises(ValueError, match=rf"`{field}` is {value}, but the vision tower was configured with"):
        E2Model(config)


def test_from_clip_config_keeps_the_towers():
    clip = CLIPConfig(vision_config={"patch_size": 14, "num_hidden_layers": 6}, projection_dim=48)
    config = E2Config.from_clip_config(clip, tag_entities=["brand"])
    assert config.vision_config.patch_size == 14 and config.fusion_layers == [4, 5]
    assert config.projection_dim == 48 and config.tag_entities == ["brand"]


@pytest.mark.parametrize("as_dict", [True, False])
def test_the_configuration_of_a_clips_vision_model_is_e2s(as_dict):
    clip = CLIPVisionConfig(patch_size=14, num_hidden_layers=6)
    config = E2Config(vision_config=clip.to_dict() if as_dict else clip, tag_entities=["brand"])
    assert type(config.vision_config) is E2VisionConfig
    assert (config.vision_config.patch_size, config.fusion_layers, config.tag_entities) == (14, [4, 5], ["brand"])


@pytest.mark.parametrize("kind", [E2Model, FilipModel])
@pytest.mark.parametrize(("start", "make"), [(tiny_clip, "from_clip"), (tiny_siglip, "from_towers")])
def test_the_folder_of_a_clip_or_a_siglip_is_refused_with_what_takes_it(kind, start, make, tmp_path):
    start().save_pretrained(tmp_path)
    with pytest.raises(ValueError, match=f"and no {kind.__name__}: make one of it by `{kind.__name__}.{make}`"):
        kind.from_pretrained(tmp_path)


def test_the_folder_of_an_image_side_is_refused_with_what_loads_it(tmp_path):
    E2VisionModel(tiny_config().vision_config).save_pretrained(tmp_path)
    with pytest.raises(ValueError, match=r"'e2_vision_model', the image side of an E2.*load it by `E2VisionModel`"):
        E2Model.from_pretrained(tmp_path)


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"tag_entities": ["a", "a"]}, "tag_entities"),
        ({"tag_entities": [], "pool_regions": True}, "pool_regions"),
        ({"tokens_per_entity": 0}, "tokens_per_entity"),
        ({"selection_temperature": 0.0}, "selection_temperature"),
        ({"fusion_layers": [9, 3]}, "fusion_layers"),
        ({"fusion_layers": [13]}, "fusion_layers"),
        ({"region_targets": "all"}, "region_targets"),
        ({"region_loss_weight": -1}, "region_loss_weight"),
        ({"tag_entities": "brand"}, "tag_entities"),
    ],
)
def test_refuses_and_names(fields, named):
    with pytest.raises(Exception, match=named):
        E2Config(**fields)


def test_without_tag_entities_there_is_nothing_to_fuse():
    config = tiny_config(tag_entities=[], fusion_layers=None)
    assert config.fusion_layers == [] and config.vision_config.num_selection_tokens == 0
    with pytest.raises(Exception, match="`fusion_layers` must be empty without `tag_entities`"):
        tiny_config(tag_entities=[], fusion_layers=[1])
