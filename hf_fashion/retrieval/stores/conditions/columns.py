"""Checks the leaves of a filter against the gallery's columns and their types."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

import pyarrow as pa
import pyarrow.types as kinds

from ....messages import did_you_mean
from ...schema import ID
from .numbers import compared_number, held_numbers, is_number_type
from .tree import And, ArrayHasAny, Comparison, Condition, IsNull, Like, OneOf, Value
from .values import checked_value, is_text, read_time


MAX_VALUES = 10_000  # of one list


class FilterColumns:
    """Columns and their types, which build checked conditions. Every method except `find` takes a name that `find` has
    returned, and raises a ValueError where the condition does not suit the column's type.

    Args:
        types (`Mapping[str, pyarrow.DataType]`): name -> type.
    """

    def __init__(self, types: Mapping[str, pa.DataType]):
        self._types = types

    def find(self, name: str, exact: bool = True) -> str:
        """Return the name of a column.

        Args:
            name (`str`): as the filter writes it.
            exact (`bool`, *optional*, defaults to `True`): whether letter case counts.

        Raises:
            ValueError: there is no such column, or several that differ only in letter case.
        """
        if name in self._types:
            return name
        same = [] if exact else [column for column in self._types if column.lower() == name.lower()]
        if len(same) == 1:
            return same[0]
        columns = ", ".join(f"`{column}`" for column in self._types)
        raise ValueError(
            f"there {'are several columns' if same else 'is no column'} `{name:.80}`"
            f"{did_you_mean(name[:80], self._types)}, the columns are {columns}"
        )

    def holds_lists(self, name: str) -> bool:
        """Return whether a column holds lists.

        Args:
            name (`str`): the column.
        """
        kind = self._types[name]
        return kinds.is_list(kind) or kinds.is_large_list(kind) or kinds.is_fixed_size_list(kind)

    def parsed(self, name: str, value: Any) -> Any:
        """Return a value of JSON, which writes dates and timestamps as text, as the column's type has it.

        Args:
            name (`str`): the column.
            value (`Any`): the value.
        """
        kind = self._types[name].value_type if self.holds_lists(name) else self._types[name]
        is_time = kinds.is_date(kind) or kinds.is_timestamp(kind)
        return read_time(value, date, datetime) if is_time and isinstance(value, str) else value

    def compare(self, name: str, sign: str, value: Any) -> Comparison | OneOf:
        """Return the comparison of a column with a value.

        Args:
            name (`str`): the column.
            sign (`str`): one of those of [`Comparison`].
            value (`Any`): the value.
        """
        kind = self._single(name)
        value = checked_value(value, kind, name)
        if is_number_type(kind):
            return compared_number(name, sign, value, kind)
        if isinstance(value, bool) and sign not in ("=", "!="):
            raise ValueError(f"`{name}` (bool) can be compared with = and != only, got {sign}")
        return Comparison(name, sign, value)

    def one_of(self, name: str, values: Sequence[Any]) -> OneOf:
        """Return the condition that a column has one of some values.

        Args:
            name (`str`): the column.
            values (`Sequence[Any]`): from 1 to `MAX_VALUES`.
        """
        return OneOf(name, _held(name, values, self._single(name)))

    def like(self, name: str, pattern: Any) -> Condition:
        """Return the condition that a text matches a pattern.

        Args:
            name (`str`): the column.
            pattern (`Any`): the pattern, text.
        """
        if not is_text(self._single(name)):
            raise ValueError(f"LIKE needs a column of text, `{name}` is {self._types[name]}")
        pattern = checked_value(pattern, self._types[name], name)
        if "\\" in pattern:
            raise ValueError(f"LIKE takes no backslash: % and _ cannot be escaped, got {pattern!r}")
        if not set("%_") & set(pattern):  # some databases take it for the beginning of a text
            return self.compare(name, "=", pattern)
        if "_" in pattern[len(pattern.rstrip("%_")) :]:  # they take it for %
            raise ValueError(f"LIKE takes no _ at the end of a pattern, got {pattern!r}")
        return Like(name, pattern)

    def array_has_any(self, name: str, values: Sequence[Any]) -> ArrayHasAny:
        """Return the condition that one of some values is in a list.

        Args:
            name (`str`): the column, which holds lists.
            values (`Sequence[Any]`): from 1 to `MAX_VALUES`.
        """
        kind = self._types[name]
        if not self.holds_lists(name):
            raise ValueError(f"array_has needs a column of lists, `{name}` is {kind}")
        return ArrayHasAny(name, _held(name, values, kind.value_type))

    def is_null(self, name: str) -> IsNull:
        """Return the condition that a value is missing.

        Args:
            name (`str`): the column.
        """
        if name == ID:
            raise ValueError(f"`{ID}` is never missing")
        return IsNull(name)

    def is_boolean(self, name: str, value: bool) -> Condition:
        """Return IS TRUE or IS FALSE, whose opposite is met by missing values too.

        Args:
            name (`str`): the column, of booleans.
            value (`bool`): which of both.
        """
        self._require_boolean(name, f"IS {str(value).upper()}")
        return And((Comparison(name, "=", value), IsNull(name, negated=True)))

    def is_true(self, name: str) -> Comparison:
        """Return the condition that is a column's own value.

        Args:
            name (`str`): the column, of booleans.
        """
        self._require_boolean(name, "a condition of its name only")
        return Comparison(name, "=", True)

    def _require_boolean(self, name: str, what: str) -> None:
        if not kinds.is_boolean(self._types[name]):
            hint = f". Write `{name}` = 'true', as the catalogue has it" if is_text(self._types[name]) else ""
            raise ValueError(f"{what} needs a column of booleans, `{name}` is {self._types[name]}{hint}")

    def _single(self, name: str) -> pa.DataType:
        if self.holds_lists(name):
            raise ValueError(f"`{name}` ({self._types[name]}) holds lists: ask array_has or IS NULL")
        return self._types[name]


def _few(name: str, values: Sequence[Any]) -> Sequence[Any]:
    if not 1 <= len(values) <= MAX_VALUES:
        raise ValueError(f"a list for `{name}` must have from 1 to {MAX_VALUES:,} values, got {len(values):,}")
    return values


def _held(name: str, values: Sequence[Any], kind: pa.DataType) -> tuple[Value, ...]:
    """The values that a column of this type can hold: the others equal none of its own."""
    checked = tuple(checked_value(value, kind, name) for value in _few(name, values))
    return held_numbers(checked, kind) if is_number_type(kind) else checked
