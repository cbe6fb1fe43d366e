"""Which tags captions name: whole words, whatever their letter case or plural."""

import pytest

from hf_fashion.embedding.changes.change_words import ChangeReader
from hf_fashion.evaluation.captions.said_tags import said_tag_accuracy, said_values


def test_values_are_whole_words_and_the_longest_wins():
    reader = ChangeReader({"colour": ["red", "Navy Blue", "Blue"]})
    assert said_values("A navy-blue and RED dress", reader) == {"Navy Blue", "red"}
    assert said_values("a bored, blue-eyed man", reader) == {"Blue"}
    assert said_values("tailored", reader) == set()


def test_shares_of_right_values_among_all_captions_and_among_those_that_name_one():
    captions = ["Puma Red Shirts", "Puma Blue Shirt", "Puma Shirt", "Nike Shoe"]
    colours, brands = ["Red", "Red", "Blue", None], ["Puma", "Nike", "Puma", "Nike"]
    found = said_tag_accuracy(captions, {"colour": colours, "brand": brands})
    assert found["colour_num_captions"] == 3 and found["colour_accuracy"] == pytest.approx(1 / 3)
    assert found["colour_named"] == pytest.approx(2 / 3) and found["colour_precision"] == 0.5
    assert found["brand_accuracy"] == found["brand_precision"] == 0.75 and found["brand_named"] == 1


def test_two_spellings_of_a_value_are_one():
    found = said_tag_accuracy(["a shirt", "two shirts"], {"type": ["Shirts", "Shirt"]})
    assert found["type_accuracy"] == 1


def test_without_values_nothing_is_measured():
    found = said_tag_accuracy(["a"], {"colour": [None]})
    assert found["colour_accuracy"] is None and found["colour_precision"] is None
