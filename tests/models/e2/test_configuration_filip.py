"""Configuration of FILIP: what a baseline without regions has no use for is refused."""

import pytest

from hf_fashion import E2VisionConfig, FilipConfig
from tests.tiny_filip import tiny_filip_config


def test_it_has_no_tag_entities():
    config = FilipConfig()
    assert config.tag_entities == [] and config.fusion_layers == [] and config.model_type == "filip"


def test_it_is_saved_and_read_back(tmp_path):
    config = tiny_filip_config(contrastive_loss="sigmoid")
    config.save_pretrained(tmp_path)
    again = FilipConfig.from_pretrained(tmp_path)
    assert again.to_diff_dict() == config.to_diff_dict() and again.tag_entities == []


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"tag_entities": ["brand"]}, r"`tag_entities` must be empty.*\['brand'\]"),
        ({"vision_config": {"tag_entities": ["brand"]}}, "`tag_entities` must be empty"),
        ({"vision_config": E2VisionConfig()}, "`tag_entities` must be empty"),
        ({"fusion_layers": [3]}, "`fusion_layers` must be empty"),
        ({"region_loss_weight": 0.2}, r"\['region_loss_weight'\] are fields of E2's losses"),
        ({"contrastive_loss": "triplet"}, "`contrastive_loss`"),
    ],
)
def test_what_would_have_no_effect_is_refused(fields, message):
    with pytest.raises(Exception, match=message):  # transformers' own kind of error where `@strict` checks
        FilipConfig(**fields)
