"""Check columns and values of a filter against a gallery's schema, and build the comparisons of the tree."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta, timezone, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.types as kinds

from ...messages import did_you_mean
from .conditions import OPPOSITE, Among, Comparison, Condition, Contains, Either, Like, Missing, joined


MAX_VALUES = 10_000  # of one list
EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
UNITS = {"s": timedelta(seconds=1), "ms": timedelta(milliseconds=1), "us": timedelta(microseconds=1)}
_TOO_FINE = re.compile(r"[.,]\d{6}\d*[1-9]")  # Python would cut it off


class Columns:
    """Comparisons of a gallery's columns.

    Args:
        types (`Mapping[str, pyarrow.DataType]`): name and type of each column.
    """

    def __init__(self, types: Mapping[str, pa.DataType]):
        self._types = types

    def named(self, name: str, exactly: bool) -> str:
        """Return the column of a name.

        Args:
            name (`str`): as the filter writes it.
            exactly (`bool`): whether letter case counts, as it does in quotes.

        Raises:
            ValueError: there is none, or several that differ in letter case.
        """
        if name in self._types:
            return name
        same = [] if exactly else [column for column in self._types if column.lower() == name.lower()]
        if len(same) != 1:
            there = ", ".join(f"`{column}`" for column in self._types)
            raise ValueError(f"there is no column {name!r}{did_you_mean(name, self._types)}, there are {there}")
        return same[0]

    def is_list(self, column: str) -> bool:
        """Return whether a column holds lists."""
        return kinds.is_nested(self._types[column])

    def is_true(self, column: str, value: bool, negated: bool) -> Condition:
        """Build IS [NOT] TRUE or FALSE, which is never unknown.

        Args:
            column (`str`): of booleans.
            value (`bool`): TRUE or FALSE.
            negated (`bool`): whether it is IS NOT.

        Raises:
            ValueError: the column holds no booleans.
        """
        self._require_boolean(column, "IS TRUE and IS FALSE ask about booleans")
        if not negated:
            return Comparison(column, "=", value)
        return Either((Comparison(column, "=", not value), Missing(column)))

    def flag(self, column: str, negated: bool) -> Condition:
        """Build a comparison of a column of booleans that is a condition of its own.

        Raises:
            ValueError: the column holds no booleans.
        """
        self._require_boolean(column, "a column is a condition only if it holds booleans")
        return Comparison(column, "=", not negated)

    def comparison(self, column: str, sign: str, value: Any, negated: bool = False) -> Condition:
        """Build a comparison.

        Raises:
            ValueError: the value does not fit the column.
        """
        kind = self._scalar(column)
        if kinds.is_boolean(kind) and sign not in ("=", "!="):
            raise ValueError(f"`{column}` (bool) is compared only by = and !=")
        return Comparison(column, OPPOSITE[sign] if negated else sign, self._value(column, kind, value))

    def between(self, column: str, low: Any, high: Any, negated: bool) -> Condition:
        """Build [NOT] BETWEEN, both ends included.

        Raises:
            ValueError: a value does not fit the column.
        """
        ends = [self.comparison(column, ">=", low, negated), self.comparison(column, "<=", high, negated)]
        return joined(ends, every=not negated)

    def among(self, column: str, values: Sequence[Any], negated: bool) -> Condition:
        """Build [NOT] IN.

        Raises:
            ValueError: there is no value, more than `MAX_VALUES`, or one that does not fit the column.
        """
        if not 0 < len(values) <= MAX_VALUES:
            raise ValueError(f"a list of `{column}` must have 1 to {MAX_VALUES:,} values, got {len(values):,}")
        kind = self._scalar(column)
        return Among(column, tuple(dict.fromkeys(self._value(column, kind, value) for value in values)), negated)

    def like(self, column: str, pattern: Any, negated: bool) -> Condition:
        """Build [NOT] LIKE; a pattern without `%` and `_` is an equality.

        Databases differ in a backslash, and in `_` at the end, which some take for `%`: both are refused.

        Raises:
            ValueError: the column holds no text, or the pattern is no text or one of those.
        """
        kind = self._types[column]
        if not isinstance(pattern, str) or not _is_text(kind):
            raise ValueError(f"LIKE compares text with a pattern, got `{column}` ({kind}) and {shown(pattern)}")
        if "\\" in pattern:
            raise ValueError("a pattern of LIKE has no backslash: % and _ always stand for other letters")
        if not set("%_") & set(pattern):
            return Comparison(column, "!=" if negated else "=", pattern)
        if "_" in pattern[len(pattern.rstrip("%_")) :]:
            raise ValueError(f"a pattern of LIKE has no _ at its end, got {pattern!r}")
        return Like(column, pattern, negated)

    def missing(self, column: str, negated: bool) -> Condition:
        """Build IS [NOT] NULL.

        Raises:
            ValueError: the column is `id`.
        """
        if column == "id":
            raise ValueError("`id` is never missing")
        return Missing(column, negated)

    def contains(self, column: str, value: Any, negated: bool) -> Condition:
        """Build array_has.

        Raises:
            ValueError: the column holds no lists, or the value does not fit their items.
        """
        if not self.is_list(column):
            raise ValueError(f"array_has asks about lists, `{column}` is {self._types[column]}")
        return Contains(column, self._value(column, self._types[column].value_type, value), negated)

    def _scalar(self, column: str) -> pa.DataType:
        if self.is_list(column):
            raise ValueError(f"`{column}` ({self._types[column]}) holds lists, which array_has and IS NULL ask about")
        return self._types[column]

    def _require_boolean(self, column: str, rule: str) -> None:
        if not kinds.is_boolean(self._types[column]):
            raise ValueError(f"{rule}, `{column}` is {self._types[column]}")

    def _value(self, column: str, kind: pa.DataType, value: Any) -> Any:
        wanted, fitting = _fitted(value, kind)
        if fitting is None:
            raise ValueError(f"`{column}` ({kind}) is compared with {wanted}, got {shown(value)}")
        return fitting


def point_in_time(text: str, day: bool) -> date | datetime:
    """Read what stands in date '...' or timestamp '...'.

    Args:
        text (`str`): an ISO date, or date and time.
        day (`bool`): whether it is a date.

    Raises:
        ValueError: it is neither, or finer than microseconds.
    """
    if _TOO_FINE.search(text):
        raise ValueError(f"a timestamp has at most six digits below the second, got {text!r}")
    return date.fromisoformat(text) if day else datetime.fromisoformat(text.replace("Z", "+00:00"))


def zone_of(kind: pa.DataType) -> tzinfo:
    """Return the zone of a timestamp that names none: the column's, or UTC.

    Args:
        kind (`pyarrow.DataType`): the column's type.

    Raises:
        ValueError: no zone of this name is known.
    """
    name = getattr(kind, "tz", None)
    if name in (None, "UTC"):
        return timezone.utc
    if name[0] in "+-":
        return datetime.fromisoformat(f"2000-01-01T00:00{name}").tzinfo
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError):
        raise ValueError(f"no time zone {name!r} is known here: write the timestamp with its own, as '...Z'") from None


def shown(value: Any) -> str:
    """Return a value as SQL writes it, for errors."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (date, datetime)):
        return f"{'timestamp' if isinstance(value, datetime) else 'date'} '{value}'"
    return repr(value)[:100]


def _fitted(value: Any, kind: pa.DataType) -> tuple[str, Any]:
    """What a type is compared with, in words, and the value as such; `None` if it does not fit."""
    if _is_text(kind):
        return "text", value if isinstance(value, str) else None
    if kinds.is_boolean(kind):
        return "true or false", value if isinstance(value, bool) else None
    if kinds.is_integer(kind):
        return "whole numbers of its type", _whole(value, kind)
    if kinds.is_floating(kind):
        return "finite numbers", _number(value, kind)
    return "timestamp '...' or date '...' no finer than its type", _time(value, kind)


def _is_text(kind: pa.DataType) -> bool:
    return kinds.is_string(kind) or kinds.is_large_string(kind)


def _whole(value: Any, kind: pa.DataType) -> int | None:
    if isinstance(value, bool) or not isinstance(value, int):
        return None
    try:
        return pa.scalar(value, kind).as_py()
    except (pa.ArrowInvalid, OverflowError):
        return None


def _number(value: Any, kind: pa.DataType) -> float | None:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    try:
        number = float(pa.scalar(float(value), kind).as_py())  # as the column has rounded its own
    except OverflowError:  # of whole numbers; others become infinite
        return None
    return number if math.isfinite(number) else None


def _time(value: Any, kind: pa.DataType) -> datetime | None:
    """The point in time, with a zone; none if the column's unit is coarser."""
    if not isinstance(value, date):
        return None
    if not isinstance(value, datetime):  # a day begins where days are UTC's, as databases cast it
        value = datetime(value.year, value.month, value.day, tzinfo=timezone.utc)
    value = value if value.tzinfo else value.replace(tzinfo=zone_of(kind))
    unit = timedelta(days=1) if kinds.is_date(kind) else UNITS.get(kind.unit, UNITS["us"])
    return None if (value - EPOCH) % unit else value
