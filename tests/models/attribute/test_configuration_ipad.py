"""IPAD's configuration: its defaults are the paper's, what it refuses, what survives saving."""

import pytest
import torch
from transformers import AutoConfig, AutoModel, CLIPVisionConfig, Dinov2Config, ViTConfig

from hf_fashion.models.attribute.configuration_ipad import REGION_FAMILIES, IpadConfig
from tests.tiny_ipad import tiny_dinov2_fields, tiny_ipad, tiny_ipad_config, tiny_vit_fields


def test_defaults_are_the_papers():
    config = IpadConfig()
    assert (config.num_iterations, config.suppression_ratio, config.beta) == (3, 0.95, 0.4)
    assert (config.attention_dim, config.attribute_dim, config.embedding_dim) == (512, 512, 1024)
    assert config.backbone_config.model_type == "resnet" and config.backbone_config.out_features == ["stage3"]
    vit = config.vit_config
    assert (vit.hidden_size, vit.num_hidden_layers, vit.patch_size, vit.image_size) == (768, 12, 16, 224)
    assert vit.layer_norm_eps == 1e-6


def test_saved_and_read_is_equal(tmp_path):
    config = IpadConfig(
        attribute_names=["neck", "sleeve"],
        attribute_values={"sleeve": ["long", "short"]},
        vit_config={"hidden_size": 48, "num_attention_heads": 4},
        backbone_config={"model_type": "resnet", "layer_type": "basic", "out_features": ["stage2"]},
        suppression="exclude",
        beta=1,
    )
    config.save_pretrained(tmp_path)
    read = IpadConfig.from_pretrained(tmp_path)
    assert read.to_dict() == config.to_dict()
    assert read.attribute_values == {"neck": [], "sleeve": ["long", "short"]}
    assert read.vit_config.hidden_size == 48 and read.backbone_config.out_features == ["stage2"]


def test_a_vit_configuration_is_taken_as_it_is():
    assert IpadConfig(vit_config=ViTConfig(hidden_size=36, num_attention_heads=3)).vit_config.layer_norm_eps == 1e-12


@pytest.mark.parametrize("model_type", REGION_FAMILIES)
def test_a_dictionary_names_the_vision_transformer_and_is_saved(tmp_path, model_type):
    fields = tiny_vit_fields(model_type="vit") if model_type == "vit" else tiny_dinov2_fields(model_type)
    config = tiny_ipad_config(vit_config=fields, region_size=24)
    assert (config.vit_config.model_type, config.vit_config.layer_norm_eps) == (model_type, 1e-6)
    config.save_pretrained(tmp_path)
    read = AutoConfig.from_pretrained(tmp_path)
    assert type(read.vit_config) is type(config.vit_config) and read.region_size == 24
    assert read.vit_config.to_dict() == config.vit_config.to_dict()


def test_a_dictionary_without_a_model_type_is_a_vits():
    assert type(IpadConfig(vit_config={"image_size": 32}).vit_config) is ViTConfig
    assert IpadConfig(vit_config={"layer_norm_eps": 1e-12}).vit_config.layer_norm_eps == 1e-12


def test_regions_have_the_size_of_the_vits_images_unless_the_configuration_says_otherwise():
    dinov2 = Dinov2Config(image_size=518, layer_norm_eps=1e-5)
    config = IpadConfig(vit_config=dinov2)
    assert config.region_edge == 518 and config.vit_config is dinov2
    assert "region_size" not in config.to_dict(), "configurations from before the field have the same fingerprint"
    assert IpadConfig(vit_config=dinov2, region_size=112).region_edge == 112
    assert IpadConfig(region_size=64).region_edge == 64
    assert IpadConfig(vit_patch_stride=12, region_size=224).region_edge == 224


def test_any_backbone_with_maps_will_do():
    backbone = AutoConfig.for_model("convnext", hidden_sizes=[4, 8], depths=[1, 1], num_stages=2)
    assert IpadConfig(backbone_config=backbone).backbone_config.out_features == ["stage2"]


@pytest.mark.parametrize(
    ("fields", "size"),
    [
        ({}, 2048),
        ({"fusion": "sum"}, 1024),
        ({"use_semantic_branch": False}, 1024),
        ({"use_spatial_branch": False}, 1024),
        ({"embedding_dim": 10}, 20),
    ],
)
def test_size_of_the_search_feature(fields, size):
    assert IpadConfig(**fields).feature_dim == size


def test_published_rounds_are_one():
    assert IpadConfig(num_iterations=7).num_rounds == 7
    assert IpadConfig(num_iterations=7, variant="published").num_rounds == 1


def test_variant_names_files_where_it_is_no_value_of_the_field(tmp_path):
    model = tiny_ipad()
    model.half().save_pretrained(tmp_path, variant="fp16")
    read = AutoModel.from_pretrained(tmp_path, variant="fp16")
    assert read.config.variant == "paper" and read.dtype == torch.float16
    for name, tensor in model.state_dict().items():
        assert torch.equal(tensor, read.state_dict()[name]), name
    assert IpadConfig.from_pretrained(tmp_path, variant="published").variant == "published"
    assert IpadConfig.from_dict(tiny_ipad_config().to_dict(), variant="fp16").variant == "paper"


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"attribute_names": []}, "attribute_names"),
        ({"attribute_names": ["a", "a"]}, "attribute_names"),
        ({"attribute_values": {"hem": ["x"]}}, "hem"),
        ({"attribute_names": ["a"], "attribute_values": {"a": ["x", "x"]}}, "attribute_values"),
        ({"crop_threshold": 1.0}, "crop_threshold"),
        ({"backbone_config": {"depths": [1]}}, "model_type"),
        ({"vit_config": {"image_size": [224, 112]}}, "image_size"),
        ({"variant": "mine"}, "variant"),
        ({"vit_config": CLIPVisionConfig()}, r"'vit', 'dinov2', 'dinov2_with_registers'.*got 'clip_vision_model'"),
        ({"vit_config": {"model_type": "deit"}}, "got 'deit'"),
        ({"region_size": 100}, "`region_size` must be a multiple of `vit_config.patch_size`=16.*got 100"),
        ({"region_size": 0}, "region_size"),
        ({"region_size": 32, "vit_config": {"patch_size": [16, 16]}}, "must be one number"),
        ({"region_size": 112, "vit_patch_stride": 12}, "region_size"),
        ({"vit_patch_stride": 12, "vit_config": {"model_type": "dinov2"}}, "vit_patch_stride.*'dinov2'"),
        ({"vit_patch_stride": 0}, "vit_patch_stride"),
        ({"vit_patch_stride": 17}, "vit_patch_stride"),
        ({"suppression": "all"}, "suppression"),
        ({"suppression_ratio": 0.0}, "suppression_ratio"),
        ({"readout": "map"}, "readout"),
        ({"fusion": "mean"}, "fusion"),
        ({"beta": 1.1}, "beta"),
        ({"num_iterations": 0}, "num_iterations"),
        ({"reduction": 0}, "reduction"),
        ({"use_spatial_branch": False, "use_semantic_branch": False}, "use_semantic_branch"),
        ({"use_spatial_attention": False, "use_channel_attention": False}, "use_channel_attention"),
        ({"readout": "attribute", "use_channel_attention": False}, "readout"),
        ({"readout": "attribute", "variant": "published"}, "readout"),
    ],
)
def test_refuses_and_names(fields, named):
    with pytest.raises(Exception, match=named):
        IpadConfig(**fields)
