"""The card of a folder is written with its pictures, and again without losing what people wrote."""

from dataclasses import replace
from pathlib import Path

import pytest
from huggingface_hub import ModelCard

from hf_fashion import E2Model
from hf_fashion.cards.card import CARD
from hf_fashion.hub.cards.facts import CardFacts
from hf_fashion.hub.cards.pictures import CURVES, RESULTS
from hf_fashion.hub.cards.writing import has_card, make_card, write_card, write_run_card
from tests.hub_metadata_rules import metadata_errors
from tests.model_cards import KINDS, e2_evaluation, run_facts, save_model, save_model_with_facts
from tests.tower_folders import towers_of


@pytest.mark.parametrize("kind", KINDS)
def test_a_card_of_each_kind(kind, tmp_path):
    folder = save_model_with_facts(kind, tmp_path / "model", license="mit", language=["en"])
    write_card(folder, "me/model")
    card = ModelCard.load(folder / CARD)
    assert metadata_errors(str(card)) == [] and card.data.eval_results and card.data.license == "mit"
    assert card.data.library_name == "transformers" and (folder / CURVES).is_file()
    # Whose training measures no tag or attribute by itself.
    nameless = ("e2", "clip", "filip", "captioner", "combiner")
    assert (folder / RESULTS).is_file() == (kind not in nameless)


def test_writing_again_changes_nothing(tmp_path):
    folder = save_model_with_facts("e2", tmp_path / "model")
    write_card(folder, "me/model")
    before = (folder / CARD).read_bytes()
    write_card(folder, "me/model")
    assert (folder / CARD).read_bytes() == before


def test_what_people_wrote_stays_when_results_are_added(tmp_path):
    folder = save_model_with_facts("e2", tmp_path / "model")
    write_card(folder)
    text = (folder / CARD).read_text().replace("## Limits\n", "## Limits\n\n- Not for shoes.\n")
    (folder / CARD).write_text(text.replace("tags:", "license: mit\ntags:"))
    CardFacts(CardFacts.read(folder).run, evaluations=[e2_evaluation()]).write(folder)
    write_card(folder)
    card = ModelCard.load(folder / CARD)
    assert "- Not for shoes." in card.text and card.data.license == "mit" and (folder / RESULTS).is_file()
    assert "On the split `test` of `owner/shop`" in card.text and "without 1 rows" in card.text


def test_other_folders_are_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match="no folder of a model: it has no config"):
        has_card(tmp_path)
    (tmp_path / "config.json").write_text("{")
    with pytest.raises(ValueError, match=r"config\.json is damaged"):
        write_card(tmp_path)
    (tmp_path / "config.json").write_text('{"model_type": "bert"}')
    assert not has_card(tmp_path)
    with pytest.raises(ValueError, match="no card for models of the type 'bert'"):
        make_card(tmp_path, "x")


def export(folder: Path, final: Path, **card) -> None:
    save_model("feature_reasoning", folder)
    run = run_facts("feature_reasoning")
    write_run_card(folder, final, replace(run, recipe=run.recipe | {"card": card}, history=run.history[-1:]))


def test_a_run_writes_a_card_of_its_own(tmp_path):
    export(tmp_path / "aside", tmp_path / "best", license="mit", language=["en"])
    assert CardFacts.read(tmp_path / "aside").run.update == 10
    card = ModelCard.load(tmp_path / "aside" / CARD)
    assert f'from_pretrained("{tmp_path / "best"}"' in card.text and card.data.language == ["en"]
    assert card.data.license == "mit" and card.data.eval_results


def test_the_next_export_keeps_what_people_wrote(tmp_path):
    export(tmp_path / "best", tmp_path / "best")
    card = tmp_path / "best" / CARD
    card.write_text(card.read_text().replace("## Bias\n", "## Bias\n\n- Few hats.\n"))
    export(tmp_path / "aside", tmp_path / "best", license="mit")
    assert "- Few hats." in (tmp_path / "aside" / CARD).read_text()


def test_a_run_of_another_kind_of_model_writes_no_card(tmp_path):
    (tmp_path / "config.json").write_text('{"model_type": "bert"}')
    write_run_card(tmp_path, tmp_path, run_facts())
    assert [path.name for path in tmp_path.iterdir()] == ["config.json"]


def test_the_default_name_is_the_folder(tmp_path):
    folder = save_model("feature_reasoning", tmp_path / "fr")
    write_card(folder)
    assert f'from_pretrained("{folder}"' in (folder / CARD).read_text()


@pytest.mark.parametrize(("towers", "entities"), [("dinov2", ["brand"]), ("siglip", ["brand"]), ("dinov2", [])])
def test_cards_of_e2_on_other_towers(towers, entities, tmp_path):
    starts = towers_of(towers, tmp_path)
    E2Model.from_towers(*starts, tag_entities=entities).save_pretrained(tmp_path / "e2")
    text = make_card(tmp_path / "e2", "me/model").text
    assert ("zero-shot-image-classification" in text) == (towers != "siglip")
    assert ("what follows is cut" in text) == bool(entities) and "trust_remote_code=True" in text
    assert ("A dual encoder that embeds" in text) == (not entities)
