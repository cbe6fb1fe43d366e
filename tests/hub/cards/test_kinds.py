"""Each model has its kind by its configuration."""

import pytest

from hf_fashion.hub.cards.kinds import FEATURES, ZERO_SHOT, model_kind
from hf_fashion.hub.cards.papers import CAPDEC, DECAP
from hf_fashion.hub.cards.rendering import TEMPLATES
from tests.model_cards import KINDS, save_model
from tests.tiny_attribute import tiny_asen_config
from tests.tiny_ipad import RPF, tiny_ipad_config


@pytest.mark.parametrize(
    ("config", "label"),
    [
        (tiny_asen_config(), "ASEN"),
        (tiny_asen_config(local=True), "ASEN++"),
        (tiny_asen_config(head="csn"), "CSN"),
        (tiny_asen_config(head="triplet"), "a triplet net"),
        (tiny_ipad_config(), "IPAD"),
        (tiny_ipad_config(**RPF), "RPF"),
    ],
)
def test_attribute_models_are_told_apart(config, label):
    kind = model_kind(config.to_dict())
    assert kind.label == label and kind.pipeline_tag == FEATURES


@pytest.mark.parametrize(
    ("config", "label", "pipeline_tag"),
    [
        ({"model_type": "siglip"}, "SigLIP", ZERO_SHOT),
        ({"model_type": "e2", "vision_config": {"tag_entities": ["brand"]}}, "E2", ZERO_SHOT),
        ({"model_type": "e2", "vision_config": {"tag_entities": []}}, "a dual encoder", ZERO_SHOT),
        # transformers' pipeline would not pad its texts
        ({"model_type": "e2", "text_config": {"model_type": "siglip_text_model"}}, "E2", FEATURES),
        ({"model_type": "filip", "vision_config": {"tag_entities": []}}, "FILIP", ZERO_SHOT),
        ({"model_type": "filip", "text_config": {"model_type": "siglip_text_model"}}, "FILIP", None),
    ],
)
def test_models_of_two_towers_are_told_apart(config, label, pipeline_tag):
    kind = model_kind(config)
    assert (kind.label, kind.pipeline_tag) == (label, pipeline_tag)


@pytest.mark.parametrize("name", KINDS)
def test_every_kind_has_a_template(name, tmp_path):
    import json

    kind = model_kind(json.loads((save_model(name, tmp_path / name) / "config.json").read_text()))
    assert (TEMPLATES / kind.template).is_file()
    tags = {"e2": ZERO_SHOT, "clip": ZERO_SHOT, "filip": ZERO_SHOT}
    tags |= {"feature_reasoning": None, "combiner": None, "captioner": "image-to-text"}
    assert kind.pipeline_tag == tags.get(name, FEATURES)
    without = ("filip", "feature_reasoning", "captioner", "combiner", "backbone")
    assert ("sentence-transformers" in kind.tags) == (name not in without)


def test_a_captioner_cites_its_method():
    assert model_kind({"model_type": "captioner"}).papers == (CAPDEC,)
    assert model_kind({"model_type": "captioner", "method": "decap"}).papers == (DECAP,)


@pytest.mark.parametrize("config", [{}, {"model_type": "bert"}, {"model_type": "resnet", "id2label": {"0": "cat"}}])
def test_there_is_no_card_for_other_models(config):
    assert model_kind(config) is None
