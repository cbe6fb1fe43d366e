"""Finds what a metadata column would lose of a value that Arrow takes without a word."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, time, timedelta
from numbers import Integral
from typing import Any

import pyarrow as pa
import pyarrow.types as kinds


_TEXT = (pa.string(), pa.large_string(), pa.string_view())
# Name of a column's unit, and the microseconds in it: Python knows no smaller ones, pandas knows nanoseconds.
_UNITS = {"s": ("second", 1_000_000), "ms": ("millisecond", 1000), "us": ("microsecond", 1), "ns": ("nanosecond", 1)}


def is_list(kind: pa.DataType) -> bool:
    """Return whether a column of this type holds lists.

    Args:
        kind (`pyarrow.DataType`): the column's type.
    """
    return kinds.is_list(kind) or kinds.is_large_list(kind) or kinds.is_fixed_size_list(kind)


def find_loss(value: Any, kind: pa.DataType) -> str:
    """Return what a column loses of a value, with advice: half of a sentence, empty where it keeps the whole value.

    Arrow cuts a text into a list of its letters, fractions off whole numbers, times off dates, and drops keys that a
    struct does not have.

    Args:
        value (`Any`): a value that Arrow takes for the type.
        kind (`pyarrow.DataType`): the column's type.
    """
    if is_list(kind):
        return _loss_in_list(value, kind)
    if kinds.is_map(kind):
        pairs = value.items() if isinstance(value, Mapping) else _items(value)
        return _first(find_loss(key, kind.key_type) or find_loss(item, kind.item_type) for key, item in pairs)
    if kinds.is_struct(kind):
        return _loss_in_struct(value, kind)
    if kinds.is_dictionary(kind):
        return find_loss(value, kind.value_type)
    return _loss_of_one(value, kind)


def _loss_in_list(value: Any, kind: pa.DataType) -> str:
    if isinstance(value, (str, bytes, bytearray, Mapping)):
        return f"which is no list and would be cut into its parts. Write a list, such as {[value]!r:.80}"
    return _first(find_loss(item, kind.value_type) for item in _items(value))


def _loss_in_struct(value: Any, kind: pa.DataType) -> str:
    if isinstance(value, (list, tuple)):
        return "which is no dict. Write a dict"
    cells = value if isinstance(value, Mapping) else {}
    known = {field.name: field.type for field in kind}
    if unknown := sorted(cells.keys() - known.keys(), key=str):
        return f"whose {unknown[0]!r} would be lost: the column has {list(known)}. Drop it, or make the gallery again"
    return _first(find_loss(cell, known[name]) for name, cell in cells.items())


def _loss_of_one(value: Any, kind: pa.DataType) -> str:
    if isinstance(value, bytes) and kind in _TEXT:
        return "which is bytes. Decode them to text"
    if (kinds.is_integer(kind) or kinds.is_temporal(kind)) and _has_fraction(value):
        return (
            "whose fraction would be lost. Round it, or make the gallery again from a column of floats: in a feed, "
            "one number with a point (49.00) makes it so"
        )
    if kinds.is_date(kind) and isinstance(value, datetime) and value == value and value.time() != time():
        return "whose time of day would be lost. Make it a date, or make the gallery again from a column of timestamps"
    if _is_cut(value, kind):
        unit = _UNITS[kind.unit][0]
        return f"of which a part of a {unit} would be lost. Round it to {unit}s, or make the gallery again"
    return ""


def _has_fraction(value: Any) -> bool:
    is_number = hasattr(value, "__float__") and not isinstance(value, Integral)  # a NumPy scalar or array of one, too
    return is_number and bool(value == value) and bool(value % 1)


def _is_cut(value: Any, kind: pa.DataType) -> bool:
    if not (kinds.is_timestamp(kind) or kinds.is_time(kind) or kinds.is_duration(kind)):
        return False
    if not isinstance(value, (datetime, time, timedelta)) or value != value:  # pandas' NaT is not equal to itself
        return False
    part = value.microseconds if isinstance(value, timedelta) else value.microsecond
    nanoseconds = getattr(value, "nanosecond", 0) or getattr(value, "nanoseconds", 0)  # of pandas
    return bool(part % _UNITS[kind.unit][1]) or (kind.unit != "ns" and bool(nanoseconds))


def _items(value: Any) -> Iterable[Any]:
    """The items of a list of any kind; none where it is a missing value."""
    return value if isinstance(value, Iterable) else ()


def _first(losses: Iterable[str]) -> str:
    return next(filter(None, losses), "")
