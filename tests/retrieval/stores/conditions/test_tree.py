"""The opposite of a condition asks the opposite of each leaf."""

import pytest

from hf_fashion.retrieval.stores.conditions.tree import (
    And,
    ArrayHasAny,
    Comparison,
    IsNull,
    Like,
    OneOf,
    Or,
    opposite,
)


PAIRS = [
    (Comparison("price", "=", 1.0), Comparison("price", "!=", 1.0)),
    (Comparison("price", "<", 1.0), Comparison("price", ">=", 1.0)),
    (Comparison("price", ">", 1.0), Comparison("price", "<=", 1.0)),
    (OneOf("brand", ("a", "b")), OneOf("brand", ("a", "b"), negated=True)),
    (Like("brand", "a%"), Like("brand", "a%", negated=True)),
    (ArrayHasAny("sizes", ("M",)), ArrayHasAny("sizes", ("M",), negated=True)),
    (IsNull("brand"), IsNull("brand", negated=True)),
]


@pytest.mark.parametrize(("condition", "expected"), PAIRS)
def test_a_leaf_is_negated(condition, expected):
    assert opposite(condition) == expected
    assert opposite(expected) == condition


def test_and_becomes_or_of_the_opposites():
    leaves, opposites = zip(*PAIRS, strict=True)
    condition = And((*leaves[:3], Or(leaves[3:])))
    assert opposite(condition) == Or((*opposites[:3], And(opposites[3:])))
    assert opposite(opposite(condition)) == condition


def test_a_condition_cannot_be_changed():
    with pytest.raises(AttributeError):
        PAIRS[0][0].sign = "<"
