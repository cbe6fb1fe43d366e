"""Writes conditions in LanceDB's SQL."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from decimal import Decimal

import pyarrow as pa

from ..conditions.tree import And, ArrayHasAny, Comparison, Condition, IsNull, Like, OneOf, Or, Value


_SMALLEST = -(2**63)  # LanceDB reads it as minus 2**63, which only a float holds


def lance_filter(condition: Condition, schema: pa.Schema) -> str:
    """Return LanceDB's SQL for a condition.

    Args:
        condition (`Condition`): on columns of the table.
        schema (`pyarrow.Schema`): of the table.
    """
    match condition:
        case And(parts):
            return _joined(" AND ", parts, schema)
        case Or(parts):
            return _joined(" OR ", parts, schema)
        case IsNull(column, negated):
            return f"`{column}` IS {_not(negated)}NULL"
        case Comparison(column, sign, value):
            return f"`{column}` {sign} {_literal(value, schema.field(column).type)}"
        case OneOf(column, (), negated) | ArrayHasAny(column, (), negated):
            return f"`{column}` IS NOT NULL" if negated else "false"
        case OneOf(column, values, negated):
            return f"`{column}` {_not(negated)}IN ({_literals(values, schema.field(column).type)})"
        case Like(column, pattern, negated):
            return f"`{column}` {_not(negated)}LIKE {text(pattern)}"
        case ArrayHasAny(column, values, negated):
            # Not array_has, which takes no timestamps.
            items = _literals(values, schema.field(column).type.value_type)
            return f"{_not(negated)}array_has_any(`{column}`, [{items}])"
    raise TypeError(f"{condition!r} is not a condition")


def _joined(word: str, parts: Iterable[Condition], schema: pa.Schema) -> str:
    return f"({word.join(lance_filter(part, schema) for part in parts)})"


def _not(negated: bool) -> str:
    return "NOT " if negated else ""


def _literals(values: Iterable[Value], kind: pa.DataType) -> str:
    return ", ".join(_literal(value, kind) for value in values)


def _literal(value: Value, kind: pa.DataType) -> str:
    if isinstance(value, str):
        return text(value)
    if isinstance(value, Decimal):
        return f"arrow_cast('{value:f}', '{str(kind).capitalize()}')"  # LanceDB compares no decimals with floats
    if isinstance(value, int) and value == _SMALLEST:
        return f"arrow_cast('{value}', 'Int64')"
    if isinstance(value, datetime):
        return _timestamp(value, kind)
    if isinstance(value, date):
        return f"date '{value.isoformat()}'"
    return str(value).lower() if isinstance(value, bool) else repr(value)


def text(value: str) -> str:
    """Return a string in quotes.

    Args:
        value (`str`): any string.
    """
    return "'" + value.replace("'", "''") + "'"


def _timestamp(value: datetime, kind: pa.DataType) -> str:
    shown = value.replace(tzinfo=None).isoformat()
    if kind.tz is None:
        return f"timestamp '{shown}'"
    # LanceDB reads `timestamp '...Z'` as a time in the column's zone.
    return f"arrow_cast('{shown}Z', 'Timestamp(Microsecond, Some(\"UTC\"))')"
