"""Evaluations, baselines, license and language are added to a card; what does not fit changes nothing."""

import json

import pytest
from huggingface_hub import ModelCard

from hf_fashion.cards.card import CARD
from hf_fashion.hub.cards.facts import CardFacts
from hf_fashion.hub.cards.updating import update_card
from hf_fashion.hub.cards.writing import write_card
from tests.model_cards import e2_evaluation, save_model_with_facts


@pytest.fixture
def folder(tmp_path):
    folder = save_model_with_facts("e2", tmp_path / "model")
    write_card(folder)
    (tmp_path / "e2.json").write_text(json.dumps(e2_evaluation()))
    (tmp_path / "clip.json").write_text(json.dumps(e2_evaluation()))
    (tmp_path / "other.json").write_text(json.dumps(e2_evaluation() | {"corpus": "other/shop"}))
    return folder


def test_everything_is_added(folder, tmp_path):
    update_card(folder, [tmp_path / "e2.json"], {"CLIP-FT": tmp_path / "clip.json"}, "mit", ["en"], "me/e2")
    card = ModelCard.load(folder / CARD)
    assert card.data.license == "mit" and card.data.language == ["en"] and len(card.data.eval_results) > 25
    assert 'from_pretrained("me/e2"' in card.text and "next to CLIP-FT on the same candidates" in card.text


def test_what_is_not_given_stays(folder, tmp_path):
    update_card(folder, [tmp_path / "e2.json"], {"CLIP-FT": tmp_path / "clip.json"}, "mit", ["en"])
    before = CardFacts.read(folder)
    update_card(folder, license="apache-2.0")
    after = CardFacts.read(folder)
    assert after.license == "apache-2.0" and after.language == ["en"]
    assert after.evaluations == before.evaluations and after.baselines == before.baselines and after.run == before.run


def test_new_results_keep_the_baselines_that_fit_and_tell_which_go(folder, tmp_path, caplog):
    (tmp_path / "new.json").write_text(json.dumps(e2_evaluation() | {"seed": None}))
    update_card(folder, [tmp_path / "e2.json"], {"CLIP-FT": tmp_path / "clip.json"}, name="me/e2")
    update_card(folder, [tmp_path / "new.json"])
    assert list(CardFacts.read(folder).baselines) == ["CLIP-FT"] and caplog.text == ""
    assert 'from_pretrained("me/e2"' in (folder / CARD).read_text()
    update_card(folder, [tmp_path / "other.json"])
    assert CardFacts.read(folder).baselines == {}
    assert "no longer on the card: 'Search by text and by photo' on test of owner/shop, " in caplog.text
    assert "the baseline 'CLIP-FT'. To keep them, give all files" in caplog.text


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"results": ["{}/missing.json"]}, "missing.json"),
        ({"license": "Apache"}, "no license 'Apache'"),
        ({"language": ["English"]}, "code of two or three letters"),
        ({"baselines": {"CLIP-FT": "{}/clip.json"}}, "needs an evaluation of the model"),
        ({"results": ["{}/e2.json"], "baselines": {"CLIP-FT": "{}/other.json"}}, "corpus 'other/shop'"),
        ({"results": ["{}/e2.json"], "baselines": {"e2": "{}/clip.json"}}, "cannot be called 'e2'"),
        ({"results": ["{}/e2.json"], "baselines": {"chance": "{}/clip.json"}}, "cannot be called 'chance'"),
    ],
)
def test_what_does_not_fit_changes_nothing(arguments, error, folder, tmp_path):
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    arguments = json.loads(json.dumps(arguments).replace("{}", str(tmp_path)))
    with pytest.raises((ValueError, FileNotFoundError), match=error):
        update_card(folder, **arguments)
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before


def test_a_card_whose_metadata_cannot_be_read_is_told_before_anything_is_written(folder, tmp_path):
    card, before = folder / CARD, CardFacts.read(folder)
    card.write_text(card.read_text().replace("---\n", "---\nlicense: [mit\n", 1))
    with pytest.raises(ValueError, match=r"the metadata of the card is not YAML; correct it there"):
        update_card(folder, [tmp_path / "e2.json"])
    assert CardFacts.read(folder) == before
