"""A renewed card has the new facts and all that people wrote."""

import pytest
import yaml
from huggingface_hub import ModelCard, ModelCardData
from transformers.utils.hub import create_and_tag_model_card

from hf_fashion.cards.card import marked_card, renewed_card


def card(products: int = 5, **fields: str) -> str:
    return marked_card({"tags": ["fashion"], **fields}, f"# Shop\n\nA shop.\n\n## Facts\n\n{products} products.\n")


def test_a_card_is_renewed_once_and_no_more():
    assert renewed_card(card(5), card(6)) == card(6)
    assert renewed_card(card(6), card(6)) == card(6)


def test_a_card_that_was_edited_on_the_hub_keeps_it():
    old = card(5).replace("tags:", "license: mit\ntags:") + "\nPhotos by Ines.\n"
    old = old.replace("A shop.", "A shop in Porto.").replace("\n", "\r\n")
    for products in (6, 7):
        old = renewed_card(old, card(products))
        assert ModelCard(old).data.license == "mit"
        assert "A shop in Porto." in old and "Photos by Ines." in old and f"{products} products." in old


def test_what_people_wrote_into_the_folder_stays_after_it_was_pushed():
    edited = card(5).replace("tags:", "license: mit\ntags:").replace("A shop.", "A shop in Porto.")
    pushed = renewed_card(card(5), edited)
    again = renewed_card(pushed, card(6))
    assert ModelCard(again).data.license == "mit" and "Porto" in again and "6 products." in again


def test_the_blank_card_of_transformers_is_replaced(monkeypatch, tmp_path):
    def missing(*_, **__):
        from huggingface_hub.errors import EntryNotFoundError

        raise EntryNotFoundError("no card")

    monkeypatch.setattr(ModelCard, "load", missing)
    blank = str(create_and_tag_model_card("tester/shop", tags=["custom"]))
    renewed = renewed_card(blank, card(5, pipeline_tag="image-feature-extraction"))
    assert ModelCard(renewed).data.pipeline_tag  # nobody has removed it
    assert "Model Card for Model ID" not in renewed and "# Shop" in renewed
    assert ModelCard(renewed).data.tags == ["custom", "fashion"] and ModelCard(renewed).data.library_name


def test_a_template_with_words_of_people_is_kept():
    filled = ModelCard.from_template(ModelCardData(), model_description="A shop by Ines.").content
    assert "A shop by Ines." in renewed_card(filled, card(5))


@pytest.mark.parametrize("fields", ["tags: [a", "- a\n- b"])
def test_metadata_that_cannot_be_read_is_said(fields):
    with pytest.raises(ValueError, match=r"the metadata of the card .*correct it there"):
        renewed_card(f"---\n{fields}\n---\n# Shop\n", card(5))


def test_metadata_that_would_fill_the_memory_is_refused():
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 9)]
    with pytest.raises(ValueError, match="the metadata of the card is not YAML"):
        renewed_card("---\n" + "\n".join(lines) + "\n---\n\ntext", marked_card({}, "# A title"))


def test_norwegian_is_a_language():
    card = renewed_card("---\nlanguage: no\n---\n\ntext", marked_card({}, "# A title"))
    assert yaml.safe_load(card.split("---")[1])["language"] == "no"
