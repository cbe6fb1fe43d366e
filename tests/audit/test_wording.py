"""Titles and values by their words."""

from itertools import product

import pytest

from hf_fashion.audit.wording import one_letter_apart, title_key, value_key, wording, words_of


@pytest.mark.parametrize("value", ["T-Shirt", "t shirts", "Tshirts", "T shirt", "tshirt", " T–SHIRT "])
def test_spellings_of_a_value_have_one_key(value):
    assert value_key(value) == "tshirt"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Men Check Blue Shirts", "men blue check shirt"),
        ("Robe élégante, bleue", "ROBE ELEGANTE BLEUE"),
        ("V-neck T-shirt", "T shirt v neck"),
        ("Levi's jeans", "Levis Jeans"),
        ("H&M top", "top (H&M)"),
    ],
)
def test_order_case_accents_and_signs_make_no_other_title(one, other):
    assert title_key(one) == title_key(other)


OTHER_TITLES = [("Air 90", "Air 95"), ("Dress", "Dres"), ("Red shirt", "Red skirt"), ("男士 衬衫", "女士 衬衫")]


@pytest.mark.parametrize(("one", "other"), [*OTHER_TITLES, ("バッグ", "ハック")])
def test_other_words_make_another_title(one, other):
    assert title_key(one) != title_key(other)


def test_a_single_letter_may_be_a_word():
    assert words_of("W Women Printed Kurtas") == ["w", "women", "printed", "kurta"]
    assert wording("Q&Q") in wording("Q&Q Men White Watch") and wording("W") not in wording("Women Kurta")


def test_chinese_names_its_values_without_blanks():
    assert wording("衬衫") in wording("男士衬衫 蓝色") and wording("裙子") not in wording("男士衬衫 蓝色")


def naive_is_one_letter_apart(one: str, other: str) -> bool:
    letters = set(one + other)
    edits = {one[:i] + one[i + 1 :] for i in range(len(one))}
    edits |= {one[:i] + letter + one[i:] for i, letter in product(range(len(one) + 1), letters)}
    edits |= {one[:i] + letter + one[i + 1 :] for i, letter in product(range(len(one)), letters)}
    edits |= {one[:i] + one[i + 1] + one[i] + one[i + 2 :] for i in range(len(one) - 1)}
    return other in edits


def test_pairs_one_letter_apart_are_those_of_a_loop():
    keys = ["burgundy", "burgandy", "burgudny", "burgundyy", "bugundy", "ubrgundy", "lavender", "lavendar", "lavendre"]
    keys += ["aaaaaa", "aaaaaaa", "burgun", "gundybur", "lavend"]
    expected = sorted((a, b) for a, b in product(keys, keys) if a < b and naive_is_one_letter_apart(a, b))
    assert len(expected) == 8 and one_letter_apart(keys) == expected


def test_short_keys_and_numbers_are_other_words():
    assert one_letter_apart(["coat", "boat", "model 501", "model 511", "madagascar2", "madagascar3"]) == []
