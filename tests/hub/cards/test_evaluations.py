"""Evaluations are those of the training until others are added; baselines must be of the same data."""

import json

import pytest

from hf_fashion.hub.cards.evaluations import card_evaluations, check_baselines, read_evaluations
from hf_fashion.hub.cards.facts import CardFacts
from hf_fashion.hub.cards.kinds import BACKBONE, model_kind
from tests.model_cards import ATTRIBUTES, attribute_evaluation, e2_evaluation, fashion_iq_evaluation, run_facts


@pytest.mark.parametrize(
    ("name", "part"), [("e2", "cross_modal"), ("ipad", "retrieval"), ("feature_reasoning", "reranking")]
)
def test_the_evaluation_of_the_training_counts_first(name, part):
    (found,) = card_evaluations(CardFacts(run_facts(name)), model_kind({"model_type": name}))
    assert found["corpus"] == "shop" and found["split"] == "validation" and found[part]
    assert found["attributes"] == ([] if name == "e2" else ATTRIBUTES)


def test_that_of_a_backbone():
    (found,) = card_evaluations(CardFacts(run_facts("backbone")), BACKBONE)
    assert found["attributes"] == ATTRIBUTES and found["classification"]["accuracy"] == 0.5


def test_added_evaluations_take_its_place():
    facts = CardFacts(run_facts(), evaluations=[e2_evaluation()])
    assert card_evaluations(facts, model_kind({"model_type": "e2"})) == [e2_evaluation()]
    assert card_evaluations(CardFacts(), model_kind({"model_type": "e2"})) == []


def test_the_card_of_an_fr_has_nothing_of_the_embedding_model():
    facts = CardFacts(evaluations=[attribute_evaluation()])
    (found,) = card_evaluations(facts, model_kind({"model_type": "feature_reasoning"}))
    assert "reranking" in found and "retrieval" not in found


def test_files_are_read_without_paths_of_this_machine(tmp_path):
    for number, values in enumerate(
        (e2_evaluation("/home/me/e2/best"), attribute_evaluation() | {"corpus": "/d/shop"})
    ):
        (tmp_path / f"{number}.json").write_text(json.dumps(values))
    first, second = read_evaluations([tmp_path / "0.json", tmp_path / "1.json"])
    assert first["model"] == "e2" and first["corpus"] == first["hub_id"] == "owner/shop"
    assert second["corpus"] == "shop" and second["hub_id"] is None and list(second["reranking"]) == ["fr"]


def test_fashion_iq_is_an_evaluation_also_of_a_combiner(tmp_path):
    (tmp_path / "iq.json").write_text(json.dumps(fashion_iq_evaluation()))
    facts = CardFacts(evaluations=read_evaluations([tmp_path / "iq.json"]))
    for kind in ("e2", "combiner"):
        (found,) = card_evaluations(facts, model_kind({"model_type": kind}))
        assert found["fashion_iq"] == fashion_iq_evaluation()["fashion_iq"]


def test_re_rankers_in_folders_of_one_name_are_numbered(tmp_path):
    measured = {"seed0/fr/best": {"map": 0.1}, "seed1/fr/best": {"map": 0.2}, "fr (2)": {"map": 0.3}}
    (tmp_path / "x.json").write_text(json.dumps(attribute_evaluation() | {"reranking": measured}))
    (found,) = read_evaluations([tmp_path / "x.json"])
    assert found["reranking"] == {"fr": {"map": 0.1}, "fr (2)": {"map": 0.2}, "fr (2) (2)": {"map": 0.3}}


@pytest.mark.parametrize(
    ("text", "error"), [("{", "is not JSON"), ("[]", "is no evaluation"), ("{}", "is no evaluation")]
)
def test_another_file_is_named(text, error, tmp_path):
    (tmp_path / "results.json").write_text(text)
    with pytest.raises(ValueError, match=rf"results\.json {error}"):
        read_evaluations([tmp_path / "results.json"])


def test_a_baseline_on_the_same_data():
    check_baselines([e2_evaluation()], {"CLIP-FT": e2_evaluation("runs/clip/best")})


def test_a_baseline_on_other_data_is_refused():
    other = e2_evaluation() | {"split": "validation"}
    with pytest.raises(
        ValueError, match=r"'CLIP-FT' was evaluated otherwise: split 'validation', and the model's 'test'"
    ):
        check_baselines([e2_evaluation()], {"CLIP-FT": other})


def test_a_baseline_among_other_candidates_is_refused():
    other = e2_evaluation()
    other["cross_modal"] = other["cross_modal"] | {"num_images": 9}
    with pytest.raises(ValueError, match="num_images 9"):
        check_baselines([e2_evaluation()], {"CLIP-FT": other})


def test_a_baseline_that_no_table_shows_is_refused():
    one = {"corpus": "shop", "split": "test", "captions": {"cider": 1.0}}
    with pytest.raises(ValueError, match=r"no table would show the baseline 'Other': models are compared in 'Search"):
        check_baselines([one], {"Other": one})


def test_a_baseline_of_nothing_is_refused():
    with pytest.raises(ValueError, match="needs an evaluation of the model"):
        check_baselines([], {"CLIP-FT": e2_evaluation()})
