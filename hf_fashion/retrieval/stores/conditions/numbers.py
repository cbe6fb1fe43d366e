"""Compares columns of numbers with numbers that they may not be able to hold: `stock < 12.5` is `stock <= 12`."""

from __future__ import annotations

import math
from collections.abc import Iterable
from decimal import ROUND_CEILING, ROUND_FLOOR, Context, Decimal

import numpy as np
import pyarrow as pa
import pyarrow.types as kinds

from .tree import Comparison, OneOf


Number = int | float | Decimal
_DIGITS = Context(prec=100)  # Arrow's widest decimals have 76


def is_number_type(kind: pa.DataType) -> bool:
    """Return whether a column of this type holds numbers.

    Args:
        kind (`pyarrow.DataType`): the column's type.
    """
    return kinds.is_integer(kind) or kinds.is_floating(kind) or kinds.is_decimal(kind)


def compared_number(column: str, sign: str, value: Number, kind: pa.DataType) -> Comparison | OneOf:
    """Return the comparison of a column of numbers with any finite number.

    Args:
        column (`str`): the column's name.
        sign (`str`): one of those of [`Comparison`].
        value (`int`, `float` or `Decimal`): the number.
        kind (`pyarrow.DataType`): the column's type.
    """
    below, above = nearest_numbers(value, kind)
    if below == above:
        return Comparison(column, sign, below)
    if sign in ("=", "!="):
        return OneOf(column, (), negated=sign == "!=")
    if below is None or above is None:  # all of the type's numbers are on one side
        return OneOf(column, (), negated=(above is None) == (sign in ("<", "<=")))
    return Comparison(column, "<=", below) if sign in ("<", "<=") else Comparison(column, ">=", above)


def held_numbers(values: Iterable[Number], kind: pa.DataType) -> tuple[Number, ...]:
    """Return those numbers that a column of a type can hold, as it holds them.

    Args:
        values (`Iterable`): finite numbers.
        kind (`pyarrow.DataType`): the column's type.
    """
    pairs = (nearest_numbers(value, kind) for value in values)
    return tuple(below for below, above in pairs if below == above)


def nearest_numbers(value: Number, kind: pa.DataType) -> tuple[Number | None, Number | None]:
    """Return the largest number of a type that is at most `value`, and the smallest that is at least `value`. Floating
    point numbers are rounded as the column has rounded its own, so both are equal within the type's range.

    Args:
        value (`int`, `float` or `Decimal`): a finite number.
        kind (`pyarrow.DataType`): the type.
    """
    exact = Decimal(repr(float(value))) if isinstance(value, float) else Decimal(value)
    if kinds.is_floating(kind):
        return _nearest_floats(exact, kind)
    smallest, largest, step = _range(kind)
    below = None if exact < smallest else min(exact, largest).quantize(step, ROUND_FLOOR, _DIGITS)
    above = None if exact > largest else max(exact, smallest).quantize(step, ROUND_CEILING, _DIGITS)
    if kinds.is_decimal(kind):
        return below, above
    return None if below is None else int(below), None if above is None else int(above)


def _nearest_floats(exact: Decimal, kind: pa.DataType) -> tuple[float | None, float | None]:
    rounded = pa.scalar(float(exact), kind).as_py()
    if math.isfinite(rounded):
        return rounded, rounded
    largest = float(np.finfo(f"float{kind.bit_width}").max)
    return (largest, None) if exact > 0 else (None, -largest)


def _range(kind: pa.DataType) -> tuple[Decimal, Decimal, Decimal]:
    """The smallest and the largest number of a type, and the step from one to the next."""
    if kinds.is_decimal(kind):
        largest = Decimal((0, (9,) * kind.precision, -kind.scale))
        return largest.copy_negate(), largest, Decimal((0, (1,), -kind.scale))
    if kinds.is_unsigned_integer(kind):
        return Decimal(0), Decimal(2**kind.bit_width - 1), Decimal(1)
    half = 2 ** (kind.bit_width - 1)
    return Decimal(-half), Decimal(half - 1), Decimal(1)
