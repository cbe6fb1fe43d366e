"""Comparisons with numbers that a column cannot hold become exact ones with those that it can."""

import operator
from decimal import Decimal

import pyarrow as pa
import pytest

from hf_fashion.retrieval.stores.conditions.numbers import compared_number, held_numbers, nearest_numbers
from hf_fashion.retrieval.stores.conditions.tree import OneOf, opposite


SIGNS = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
PRICE = pa.decimal128(5, 2)


@pytest.mark.parametrize(
    ("value", "kind", "below", "above"),
    [
        (12, pa.int64(), 12, 12),
        (12.0, pa.int64(), 12, 12),
        (12.5, pa.int64(), 12, 13),
        (Decimal("-12.5"), pa.int8(), -13, -12),
        (300, pa.uint8(), 255, None),
        (-0.5, pa.uint8(), None, 0),
        (Decimal("1e999999999"), pa.int64(), 2**63 - 1, None),
        (Decimal("1e-999999999"), pa.int64(), 0, 1),
        (2**64 - 1, pa.uint64(), 2**64 - 1, 2**64 - 1),
        (10.99, PRICE, Decimal("10.99"), Decimal("10.99")),
        (Decimal("10.995"), PRICE, Decimal("10.99"), Decimal("11.00")),
        (1000, PRICE, Decimal("999.99"), None),
        (10**76 - 1, pa.decimal256(76, 0), Decimal(10**76 - 1), Decimal(10**76 - 1)),
        (150, pa.decimal128(3, -2), Decimal(100), Decimal(200)),
        (1, pa.float64(), 1.0, 1.0),
        (0.1, pa.float32(), 0.10000000149011612, 0.10000000149011612),
        (-1e300, pa.float32(), None, -3.4028234663852886e38),
        (10**400, pa.float64(), 1.7976931348623157e308, None),
    ],
)
def test_the_nearest_numbers_that_a_column_can_hold(value, kind, below, above):
    assert nearest_numbers(value, kind) == (below, above)


@pytest.mark.parametrize("value", [-200, -128, -1.5, 0, 0.5, 2, 127, 127.5, 1e9])
@pytest.mark.parametrize("sign", SIGNS)
def test_a_comparison_is_met_by_the_numbers_that_meet_it_exactly(sign, value):
    def met(condition) -> list[int]:
        if isinstance(condition, OneOf):
            return [one for one in range(-128, 128) if condition.negated]
        return [one for one in range(-128, 128) if SIGNS[condition.sign](one, condition.value)]

    condition = compared_number("grade", sign, value, pa.int8())
    expected = [one for one in range(-128, 128) if SIGNS[sign](one, value)]
    assert met(condition) == expected
    assert sorted(met(opposite(condition)) + expected) == list(range(-128, 128))


def test_only_numbers_that_a_column_can_hold_are_looked_for():
    assert held_numbers([1, 1.5, 2.0, 300], pa.uint8()) == (1, 2)
    assert held_numbers([Decimal("0.001"), 0.01], PRICE) == (Decimal("0.01"),)
