"""Metadata columns become ranges and choices, and what is chosen a filter of the gallery."""

import math

import pyarrow as pa
import pytest
from fashion_space.filters import MOST_CHOICES, ChoiceFilter, NumberFilter, condition, find_filters, not_filtered


TABLE = pa.table(
    {
        "price": [3.5, None, 20.0],
        "brand": ["Lumaro", "Elvoro", None],
        "new": [True, False, True],
        "constant": [1, 1, 1],
        "same": ["a", "a", None],
        "sizes": [["S"], ["M"], None],
        "missing": pa.array([None, None, None], pa.int64()),
    }
)
FILTERS = [
    NumberFilter("price", 3.5, 20.0),
    ChoiceFilter("brand", ("Elvoro", "Lumaro")),
    ChoiceFilter("new", (False, True)),
]


def test_columns_that_divide_the_products_become_filters():
    assert find_filters(TABLE, TABLE.column_names) == FILTERS
    names = pa.table({"name": [f"n{number}" for number in range(MOST_CHOICES + 1)]})
    assert find_filters(names, ["name"]) == []


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([None, None, [], []], None),
        ([3.5, 20.0, [], []], None),
        ([3.5, 5, None, []], {"price": {"<=": 5}}),
        ([4, 5, ["Lumaro"], [True]], {"price": {">=": 4, "<=": 5}, "brand": ["Lumaro"], "new": [True]}),
    ],
)
def test_chosen_values_become_a_condition(values, expected):
    assert condition(FILTERS, values) == expected


def test_without_a_choice_all_products_are_wanted():
    assert not_filtered(FILTERS) == [3.5, 20.0, [], []]


@pytest.mark.parametrize(
    ("low", "high", "words"), [(6, 5, "6, is larger than the largest, 5"), (math.nan, 5, "numbers")]
)
def test_impossible_ranges_are_sentences(low, high, words):
    with pytest.raises(ValueError, match=words):
        condition(FILTERS, [low, high, [], []])
