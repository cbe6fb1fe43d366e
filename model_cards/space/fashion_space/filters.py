"""Filters of the page, made from the metadata columns of a gallery."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc


MOST_CHOICES = 30  # a column with more different values is no choice
MOST_FILTERS = 8


@dataclass(frozen=True)
class NumberFilter:
    """A range of a column of numbers.

    Args:
        column (`str`): its name.
        low (`float`): its least value.
        high (`float`): its largest value.
    """

    column: str
    low: float
    high: float


@dataclass(frozen=True)
class ChoiceFilter:
    """Some values of a column of few strings or booleans.

    Args:
        column (`str`): its name.
        choices (`tuple`): its values, sorted.
    """

    column: str
    choices: tuple[str | bool, ...]


Filter = NumberFilter | ChoiceFilter


def find_filters(products: pa.Table, columns: Sequence[str]) -> list[Filter]:
    """Return a filter for each column that has one: numbers, booleans, and strings of few different values.

    Args:
        products (`pyarrow.Table`): all products of a gallery.
        columns (`Sequence[str]`): metadata columns to look at.
    """
    found = (_filter_of(name, products[name]) for name in columns)
    return [filter for filter in found if filter is not None][:MOST_FILTERS]


def condition(filters: Sequence[Filter], values: Sequence[Any]) -> dict[str, Any] | None:
    """Return what the user has chosen as a filter of the gallery, `None` where all products are wanted.

    Args:
        filters (`Sequence[Filter]`): the filters of the page.
        values (`Sequence`): what its fields hold: two numbers for a [`NumberFilter`], at first its ends, `None`
            where there is none; a list of values for a [`ChoiceFilter`].

    Raises:
        ValueError: a number is not finite, or the least number of a range is larger than the largest.
    """
    left, wanted = list(values), {}
    for filter in filters:
        is_range = isinstance(filter, NumberFilter)
        part = _range(filter, left.pop(0), left.pop(0)) if is_range else left.pop(0)
        if part:
            wanted[filter.column] = part
    return wanted or None


def not_filtered(filters: Sequence[Filter]) -> list[Any]:
    """Return what the fields of filters hold where all products are wanted.

    Args:
        filters (`Sequence[Filter]`): the filters of the page.
    """
    parts = ([filter.low, filter.high] if isinstance(filter, NumberFilter) else [[]] for filter in filters)
    return [value for part in parts for value in part]


def _filter_of(name: str, values: pa.ChunkedArray) -> Filter | None:
    values = pc.drop_null(values)
    kind = values.type
    if len(values) and (pa.types.is_integer(kind) or pa.types.is_floating(kind)):
        ends = pc.min_max(values).as_py()
        return NumberFilter(name, ends["min"], ends["max"]) if ends["min"] < ends["max"] else None
    if not (pa.types.is_boolean(kind) or pa.types.is_string(kind) or pa.types.is_large_string(kind)):
        return None
    different = pc.unique(values)
    return ChoiceFilter(name, tuple(sorted(different.to_pylist()))) if 2 <= len(different) <= MOST_CHOICES else None


def _range(filter: NumberFilter, low: float | None, high: float | None) -> dict[str, float]:
    """The ends that were moved: products without a value are left out only where a value is asked for."""
    ends = (">=", low, filter.low), ("<=", high, filter.high)
    given = {sign: value for sign, value, end in ends if value is not None and value != end}
    if not all(map(isfinite, given.values())):
        raise ValueError(f"The ends of {filter.column} must be numbers.")
    if low is not None and high is not None and low > high:
        raise ValueError(f"{filter.column}: the least value, {low:g}, is larger than the largest, {high:g}.")
    return given
