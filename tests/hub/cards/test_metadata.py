"""The metadata name what is known and leave out what is not."""

from dataclasses import replace

import pytest
from huggingface_hub import ModelCard

from hf_fashion.hub.cards.facts import CardFacts, CorpusFacts
from hf_fashion.hub.cards.kinds import model_kind
from hf_fashion.hub.cards.metadata import card_metadata, starting_points, widget_examples
from tests.hub_metadata_rules import metadata_errors
from tests.model_cards import e2_evaluation, run_facts


E2, IPAD, FR = (model_kind({"model_type": name}) for name in ("e2", "ipad", "feature_reasoning"))


def started_from(**model: str):
    return replace(run_facts(), recipe={"model": model})


def test_what_is_not_known_is_left_out():
    fields = card_metadata("me/e2", E2, CardFacts(run_facts()), []).to_dict()
    assert set(fields) == {"library_name", "pipeline_tag", "tags"}


def test_what_is_known_is_there():
    run = replace(started_from(start_from="openai/clip"), corpus=CorpusFacts("me/shop", "me/shop"))
    fields = card_metadata("me/e2", E2, CardFacts(run, "mit", ["en"]), [e2_evaluation()]).to_dict()
    assert fields["base_model"] == ["openai/clip"] and fields["base_model_relation"] == "finetune"
    assert fields["datasets"] == ["me/shop"] and fields["license"] == "mit" and fields["language"] == ["en"]
    assert fields["model-index"][0]["name"] == "e2"


def test_a_local_model_is_no_base_model(tmp_path):
    run = started_from(start_from=str(tmp_path), backbone="microsoft/resnet-50")
    assert starting_points(run) == [str(tmp_path), "microsoft/resnet-50"]
    assert card_metadata("x", E2, CardFacts(run), []).base_model == ["microsoft/resnet-50"]


def test_results_survive_a_round_trip(tmp_path):
    data = card_metadata("me/e2", E2, CardFacts(), [e2_evaluation(), e2_evaluation() | {"split": "validation"}])
    ModelCard(f"---\n{data.to_yaml()}\n---\n").save(tmp_path / "README.md")
    read = ModelCard.load(tmp_path / "README.md").data.eval_results
    assert sorted(map(repr, read)) == sorted(map(repr, data.eval_results)) and len(read) > 40


def test_photos_for_the_widget(tmp_path):
    (tmp_path / "widget").mkdir()
    for name in ("red_dress.jpg", "notes.txt"):
        (tmp_path / "widget" / name).touch()
    (example,) = widget_examples(tmp_path, E2)
    assert example["src"] == "widget/red_dress.jpg" and example["example_title"] == "red dress"
    assert "dress" in example["candidate_labels"] and "candidate_labels" not in widget_examples(tmp_path, IPAD)[0]
    assert widget_examples(tmp_path, FR) == []


@pytest.mark.parametrize("fields", ["license: Apache", "language: english", "datasets: [a b]", "model-index: {}"])
def test_the_rules_of_the_tests_refuse_what_the_hub_refuses(fields):
    assert metadata_errors(f"---\n{fields}\n---\n")


def test_two_encoders_are_two_base_models():
    run = started_from(start_from_vision="facebook/dinov2-small", start_from_text="intfloat/e5-small")
    assert starting_points(run) == ["facebook/dinov2-small", "intfloat/e5-small"]
