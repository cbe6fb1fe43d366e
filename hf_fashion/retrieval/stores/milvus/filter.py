"""Write a checked condition as an expression of Milvus."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

import pyarrow as pa
import pyarrow.types as kinds

from ...schema import ID
from ..condition_values import EPOCH, UNITS
from ..conditions import Among, Comparison, Condition, Contains, Every, Like, Missing
from .columns import MilvusColumns


_ESCAPES = str.maketrans({"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"})


def milvus_filter(condition: Condition, columns: MilvusColumns) -> str:
    """Return the expression that finds the rows for which a condition is true.

    Args:
        condition (`Condition`): the checked tree.
        columns (`MilvusColumns`): of the table.
    """
    if isinstance(condition, (Comparison, Among, Like, Missing, Contains)):
        return _about_a_column(condition, columns)
    sign = " and " if isinstance(condition, Every) else " or "
    return f"({sign.join(milvus_filter(part, columns) for part in condition.parts)})"


def text(value: str) -> str:
    """Return a string in quotes, whatever it holds. pymilvus itself quotes ids without escaping them.

    Args:
        value (`str`): any.
    """
    return f'"{value.translate(_ESCAPES)}"'


def one_of(field: str, literals: Iterable[str]) -> str:
    """Return the condition that a field has one of some values.

    Args:
        field (`str`): the field.
        literals (`Iterable[str]`): the values, as Milvus writes them.
    """
    return f"{field} in [{', '.join(dict.fromkeys(literals))}]"  # Milvus Lite finds twice what is there twice


def _about_a_column(condition: Comparison | Among | Like | Missing | Contains, columns: MilvusColumns) -> str:
    field, kind = columns.fields[condition.column], columns.schema.field(condition.column).type
    if isinstance(condition, Missing):
        return f"{field} is {'not ' if condition.negated else ''}null"
    if isinstance(condition, Comparison):
        sign = "==" if condition.sign == "=" else condition.sign
        found = f"{field} {sign} {_literal(condition.value, kind)}"
        return _where_there(field, found) if sign == "!=" else found
    if isinstance(condition, Among):
        values = [_literal(value, kind) for value in condition.values]
        return _where_there(field, one_of(f"{field} not", values)) if condition.negated else one_of(field, values)
    if isinstance(condition, Like):
        found = f"{field} like {text(condition.pattern)}"
    else:  # with array_contains Milvus Lite takes no negative numbers
        found = f"array_contains_any({field}, [{_literal(condition.value, kind.value_type)}])"
    return _where_there(field, f"not ({found})") if condition.negated else found


def _where_there(field: str, found: str) -> str:
    """Not for missing values, of which servers differ in what `not` makes; an id is never missing."""
    return f"({found})" if field == ID else f"({found} and {field} is not null)"


def _literal(value: Any, kind: pa.DataType) -> str:
    if isinstance(value, str):
        return text(value)
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, datetime):
        return str(_time(value, kind))
    return repr(value)


def _time(value: datetime, kind: pa.DataType) -> int:
    """The number that the column keeps for a point in time."""
    if kinds.is_timestamp(kind) and kind.unit == "ns":
        return (value - EPOCH) // UNITS["us"] * 1000
    unit = UNITS[kind.unit] if kinds.is_timestamp(kind) else timedelta(days=1)
    return (value - EPOCH) // unit * (86_400_000 if kinds.is_date64(kind) else 1)
