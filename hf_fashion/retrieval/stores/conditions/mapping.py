"""Reads filters that are mappings from columns to what they must be."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .columns import FilterColumns
from .tree import And, Condition, opposite


SUPPORTED = (
    "A mapping has columns as keys; a column equals a value, one of a list, or null where it is None; dates and "
    "timestamps may be text, '2026-01-31'; other operators "
    'are the keys of a mapping of its own: {"brand": ["Acme", "Lumaro"], "price": {">=": 10, "<": 50}}'
)
_ORDER = ("<", "<=", ">", ">=")
OPERATORS = ("=", "!=", *_ORDER, "like")


def condition_from_mapping(filter: Mapping[str, Any], columns: FilterColumns) -> Condition | None:
    """Read a mapping, all of whose keys must be met.

    Args:
        filter (`Mapping[str, Any]`): column -> value, list of values or `None`, or a mapping of `OPERATORS` to those.
        columns (`FilterColumns`): the columns that it may name.

    Returns:
        `Condition`: none where the mapping is empty.

    Raises:
        ValueError: a column, an operator or a value is not one of those.
    """
    parts = [part for name, wanted in filter.items() for part in _about(name, wanted, columns)]
    return And(tuple(parts)) if parts else None


def _about(name: Any, wanted: Any, columns: FilterColumns) -> list[Condition]:
    column = columns.find(str(name), exact=False)
    if not isinstance(wanted, Mapping):
        return [_equals(column, wanted, columns)]
    if not wanted:
        raise ValueError(f"`{column}` has an empty mapping, it must have one or more of the operators {OPERATORS}")
    return [_compared(column, operator, value, columns) for operator, value in wanted.items()]


def _compared(column: str, operator: Any, value: Any, columns: FilterColumns) -> Condition:
    if operator in _ORDER:
        return columns.compare(column, operator, columns.parsed(column, value))
    if operator == "like":
        return columns.like(column, value)
    if operator not in OPERATORS:
        raise ValueError(f"`{column}` must have operators out of {OPERATORS}, got {operator!r:.80}")
    equals = _equals(column, value, columns)
    return equals if operator == "=" else opposite(equals)


def _equals(column: str, value: Any, columns: FilterColumns) -> Condition:
    if value is None:
        return columns.is_null(column)
    several = isinstance(value, (list, tuple, set, frozenset))
    values = [columns.parsed(column, one) for one in (value if several else [value])]
    if columns.holds_lists(column):
        return columns.array_has_any(column, values)
    return columns.one_of(column, values) if several else columns.compare(column, "=", values[0])
