"""Read a filter that is a dict as the checked tree."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.types as kinds

from ...messages import did_you_mean
from .condition_values import Columns, point_in_time
from .conditions import SIGNS, Condition, joined


WORDS = ("in", "not in", "like", "not like")


def condition_of_dict(filter: Mapping[str, Any], columns: Mapping[str, pa.DataType]) -> Condition:
    """Read a dict of columns and what they must be; all of it must be true.

    A value means equality, `None` a missing value, a list one of its values; a dict holds comparisons, of `SIGNS` and
    `WORDS`. For a column of lists, a value means that the list contains it, a list that it contains one of them. Dates
    and timestamps are Python's, or text in ISO's form.

    Args:
        filter (`Mapping[str, Any]`): such as `{"brand": ["Acme", None], "price": {">=": 10, "<": 50}}`.
        columns (`Mapping[str, pyarrow.DataType]`): name and type of each column.

    Raises:
        ValueError: it is empty, or a column, comparison or value is unknown or does not fit.
    """
    if not filter:
        raise ValueError("it is empty")
    reader = _Reader(Columns(columns), columns)
    return joined([reader.condition(name, wanted) for name, wanted in filter.items()], every=True)


class _Reader:
    def __init__(self, columns: Columns, types: Mapping[str, pa.DataType]):
        self._columns, self._types = columns, types

    def condition(self, name: Any, wanted: Any) -> Condition:
        """Return the condition on one column."""
        if not isinstance(name, str):
            raise ValueError(f"its keys are names of columns, got {name!r}")
        column = self._columns.named(name, exactly=True)
        if not isinstance(wanted, Mapping):
            return self._one_of(column, _listed(wanted), negated=False)
        if not wanted:
            raise ValueError(f"`{column}` has no comparison")
        return joined([self._compared(column, sign, value) for sign, value in wanted.items()], every=True)

    def _compared(self, column: str, sign: Any, value: Any) -> Condition:
        if sign in ("=", "!=", "in", "not in"):
            return self._one_of(column, _listed(value), negated=sign in ("!=", "not in"))
        if sign in ("like", "not like"):
            return self._columns.like(column, value, sign == "not like")
        if sign in SIGNS:
            return self._columns.comparison(column, sign, self._value(column, value))
        allowed = (*SIGNS, *WORDS)
        raise ValueError(f"`{column}`: no comparison {sign!r}{did_you_mean(str(sign), allowed)}, there are {allowed}")

    def _one_of(self, column: str, values: Sequence[Any], negated: bool) -> Condition:
        """Whether a column has one of some values, `None` among them, or its lists contain one of them."""
        if not values:
            raise ValueError(f"`{column}` has an empty list, which no product meets")
        given = [self._value(column, value) for value in values if value is not None]
        parts: list[Condition] = []
        if self._columns.is_list(column):
            parts = [self._columns.contains(column, value, negated) for value in given]
        elif len(given) == 1:
            parts = [self._columns.comparison(column, "=", given[0], negated)]
        elif given:
            parts = [self._columns.among(column, given, negated)]
        if len(given) < len(values):
            parts.append(self._columns.missing(column, negated))
        return joined(parts, every=negated)

    def _value(self, column: str, value: Any) -> Any:
        """A value; text that a column of dates or timestamps is compared with is read as such."""
        kind = self._types[column]
        kind = kind.value_type if kinds.is_nested(kind) else kind
        if isinstance(value, str) and kinds.is_temporal(kind):
            return point_in_time(value, day=len(value) == len("2026-01-01"))
        return value


def _listed(value: Any) -> list[Any]:
    return list(value) if isinstance(value, (list, tuple, set, frozenset)) else [value]
