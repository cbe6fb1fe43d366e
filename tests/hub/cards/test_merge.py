"""A card goes to the Hub under its name there, with what people wrote here and there."""

from hf_fashion.cards.card import CARD
from hf_fashion.hub.cards.merge import card_for_hub
from hf_fashion.hub.cards.writing import write_card
from tests.model_cards import save_model, save_model_with_facts


def test_the_code_loads_the_model_from_its_repository(tmp_path):
    folder = save_model_with_facts("feature_reasoning", tmp_path / "fr")
    write_card(folder)
    card = card_for_hub(folder, "me/fr")
    assert card.count('"me/fr"') == 2 and "# me/fr\n" in card and str(tmp_path) not in card


def test_a_model_without_a_card_gets_one(tmp_path):
    assert '"me/fr"' in card_for_hub(save_model("feature_reasoning", tmp_path), "me/fr")


def test_what_people_wrote_here_and_there_stays(tmp_path):
    folder = save_model("feature_reasoning", tmp_path)
    write_card(folder)
    there = card_for_hub(folder, "me/fr").replace("## Bias\n", "## Bias\n\n- Few hats.\n")
    text = (
        (folder / CARD)
        .read_text()
        .replace("## Limits\n", "## Limits\n\n- No shoes.\n")
        .replace("## Bias\n", "## Bias!\n")
    )
    (folder / CARD).write_text(text)
    merged = card_for_hub(folder, "me/fr", there)
    assert "- Few hats." in merged and "- No shoes." in merged and "Bias!" not in merged
    assert card_for_hub(folder, "me/fr", merged) == merged


def test_an_adapter_keeps_its_own_card(tmp_path):
    (tmp_path / "adapter_config.json").write_text("{}")
    assert card_for_hub(tmp_path, "me/adapter") is None


def test_a_model_of_another_kind_keeps_its_own_card(tmp_path):
    (tmp_path / "config.json").write_text('{"model_type": "bert"}')
    assert card_for_hub(tmp_path, "me/bert") is None
    (tmp_path / CARD).write_text("---\nlicense: mit\n---\n# Bert\n")
    assert card_for_hub(tmp_path, "me/bert") == "---\nlicense: mit\n---\n# Bert\n"
