"""Queries of a photo and a change, made of tags."""

from hf_fashion.evaluation.changes.change_triples import ChangeTriple, change_in_words, change_triples


TAGS = {
    "type": ["Shirt", "Shirt", "Shirt", "Dress", "Shirt", "Shirt"],
    "colour": ["Red", "Blue", "Red", "Blue", None, "Red"],
    "brand": ["Puma", "Puma", "Puma", "Puma", "Puma", "Nike"],
}


def test_targets_differ_in_one_tag():
    assert change_triples(TAGS, "colour") == [
        ChangeTriple(0, "Blue", "in Blue", (1,)),
        ChangeTriple(2, "Blue", "in Blue", (1,)),
        ChangeTriple(1, "Red", "in Red", (0, 2)),
    ]
    assert change_triples(TAGS, "type") == [
        ChangeTriple(1, "Dress", "but Dress", (3,)),
        ChangeTriple(3, "Shirt", "but Shirt", (1,)),
    ]
    assert change_triples({"type": ["Shirt", "Dress"], "colour": ["Red", "Blue"]}, "colour") == []


def test_changes_in_words():
    assert (change_in_words("base_colour", "Red"), change_in_words("brand", "Puma")) == ("in Red", "but Puma")


def test_a_placeholder_is_not_asked_for_and_named(caplog):
    tags = {"colour": ["Red", "-", "Blue"], "brand": ["Puma"] * 3}
    assert [(one.row, one.value) for one in change_triples(tags, "colour")] == [
        (0, "Blue"),
        (1, "Red"),
        (1, "Blue"),
        (2, "Red"),
    ]
    assert "No query asks for these values of 'colour', which have no word: -" in caplog.text
