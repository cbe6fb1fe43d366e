"""ASEN's configuration: what it refuses, what survives saving."""

import pytest
from transformers import Dinov2Config, ResNetConfig

from hf_fashion.models.attribute.configuration_asen import AsenConfig
from tests.tiny_attribute import ATTRIBUTE_NAMES, ATTRIBUTE_VALUES, tiny_asen_config, tiny_backbone_config


def test_defaults_are_the_papers():
    config = AsenConfig()
    assert config.backbone_config.out_features == ["stage3"] and config.backbone_config.hidden_sizes[2] == 1024
    assert config.local_backbone_config is None and config.head == "asen"
    assert (config.attention_dim, config.attribute_dim, config.embedding_dim, config.reduction) == (512, 512, 1024, 2)
    assert (config.local_image_size, config.local_attention_dim, config.global_weight) == (112, 256, 0.6)
    assert config.crop_threshold == 0.1 and config.image_size == 224


@pytest.mark.parametrize("local", [False, True])
def test_saved_and_read_is_equal(local, tmp_path):
    config = tiny_asen_config(local, global_weight=0.3)
    config.save_pretrained(tmp_path)
    again = AsenConfig.from_pretrained(tmp_path)
    assert again.to_dict() == config.to_dict()
    assert again.attribute_names == ATTRIBUTE_NAMES and again.attribute_values == ATTRIBUTE_VALUES
    assert isinstance(again.backbone_config, ResNetConfig)
    assert isinstance(again.local_backbone_config, ResNetConfig if local else type(None))


def test_any_backbone_of_transformers_by_its_fields():
    fields = {"model_type": "dinov2", "num_hidden_layers": 4, "out_features": ["stage2"]}
    config = AsenConfig(backbone_config=fields, local_backbone_config=tiny_backbone_config())
    assert isinstance(config.backbone_config, Dinov2Config) and config.backbone_config.out_features == ["stage2"]


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"head": "softmax"}, "head"),
        ({"attention_variant": "v3"}, "attention_variant"),
        ({"attention_dim": 0}, "attention_dim"),
        ({"local_image_size": 0}, "local_image_size"),
        ({"global_weight": 1.5}, "global_weight"),
        ({"embedding_dim": 0}, "embedding_dim"),
        ({"embedding_dim": None, "head": "csn"}, "embedding_dim"),
        ({"embedding_dim": None, "local_backbone_config": tiny_backbone_config()}, "embedding_dim"),
        ({"head": "csn", "local_backbone_config": tiny_backbone_config()}, "local_backbone_config"),
        ({"head": "triplet", "local_backbone_config": tiny_backbone_config()}, "local_backbone_config"),
        ({"local_backbone_config": {"depths": [1]}}, "model_type"),
        ({"attribute_names": []}, "attribute_names"),
        ({"use_spatial_attention": False, "use_channel_attention": False}, "use_channel_attention"),
    ],
)
def test_refuses_and_names(fields, named):
    with pytest.raises(Exception, match=named):
        tiny_asen_config(**fields)
