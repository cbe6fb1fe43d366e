"""The fields that all attribute-specific models share: defaults, vocabularies, refusals."""

import pytest
from transformers import PreTrainedConfig, ResNetConfig

from hf_fashion.models.attribute.configuration_attribute import (
    AttributeConfig,
    as_backbone_config,
    check_choices,
    check_sizes,
)
from tests.tiny_attribute import tiny_backbone_config


def test_the_default_backbone_is_resnet_50_up_to_its_third_stage():
    config = as_backbone_config(None)
    assert isinstance(config, ResNetConfig) and config.out_features == ["stage3"]
    assert list(config.depths) == [3, 4, 6, 3]


def test_a_backbone_by_its_configuration_or_its_fields():
    config = tiny_backbone_config()
    assert as_backbone_config(config) is config
    fields = config.to_dict()
    assert as_backbone_config(fields).to_dict() == config.to_dict()
    assert fields["model_type"] == "resnet"  # what was given is not changed


@pytest.mark.parametrize("model_type", [None, "no_such_type"])
def test_an_unknown_backbone_is_refused(model_type):
    with pytest.raises(ValueError, match=rf"`model_type` of transformers.* got {model_type}"):
        as_backbone_config({"model_type": model_type})


def test_attributes_without_values_get_an_empty_vocabulary():
    config = AttributeConfig(attribute_names=["pattern", "neckline"], attribute_values={"neckline": ["v", "round"]})
    assert config.attribute_values == {"pattern": [], "neckline": ["v", "round"]} and config.num_attributes == 2


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"attribute_names": []}, "attribute_names"),
        ({"attribute_names": ["a", "a"]}, "attribute_names"),
        ({"attribute_values": {"colour": ["red"]}}, r"attribute_names.*colour"),
        ({"attribute_values": {"neckline": ["v", "v"]}}, r'attribute_values\["neckline"\]'),
        ({"crop_threshold": 1.0}, "crop_threshold"),
        ({"crop_threshold": -0.1}, "crop_threshold"),
    ],
)
def test_refuses_and_names(fields, named):
    with pytest.raises(Exception, match=named):
        AttributeConfig(**fields)


def test_choices_and_sizes_are_checked_by_name():
    config = PreTrainedConfig(head="softmax", attention_dim=0)
    with pytest.raises(ValueError, match=r"`head` must be one of \['asen', 'csn'\]; got \"softmax\""):
        check_choices(config, {"head": ("asen", "csn")})
    with pytest.raises(ValueError, match=r"`attention_dim` must be at least 1; got 0"):
        check_sizes(config, ["attention_dim"])
    check_choices(config, {"head": ("softmax",)})
