"""Write a checked condition as SQL that LanceDB reads."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

import pyarrow as pa
import pyarrow.types as kinds

from ..condition_values import zone_of
from ..conditions import Among, Comparison, Condition, Contains, Every, Like, Missing


def lance_filter(condition: Condition, schema: pa.Schema) -> str:
    """Return the SQL that finds the rows for which a condition is true.

    Args:
        condition (`Condition`): the checked tree.
        schema (`pyarrow.Schema`): the table's.
    """
    if isinstance(condition, (Comparison, Among, Like, Missing, Contains)):
        return _about_a_column(condition, schema)
    sign = " AND " if isinstance(condition, Every) else " OR "
    return f"({sign.join(lance_filter(part, schema) for part in condition.parts)})"


def text(value: str) -> str:
    """Return a string in quotes, whatever it holds.

    Args:
        value (`str`): any.
    """
    return "'" + value.replace("'", "''") + "'"


def _about_a_column(condition: Comparison | Among | Like | Missing | Contains, schema: pa.Schema) -> str:
    name, kind = f"`{condition.column}`", schema.field(condition.column).type
    if isinstance(condition, Missing):
        return f"{name} IS {'NOT ' if condition.negated else ''}NULL"
    if isinstance(condition, Contains):
        found = f"array_has({name}, {_literal(condition.value, kind.value_type)})"
        return f"NOT {found}" if condition.negated else found
    if isinstance(condition, Comparison):
        found = f"{name} {condition.sign} {_literal(condition.value, kind)}"
        return _where_there(name, found) if condition.sign == "!=" else found
    if isinstance(condition, Like):
        found = f"LIKE {text(condition.pattern)}"
    else:
        found = f"IN ({', '.join(_literal(value, kind) for value in condition.values)})"
    return _where_there(name, f"{name} NOT {found}") if condition.negated else f"{name} {found}"


def _where_there(name: str, found: str) -> str:
    """Not for missing values, which an index of the column takes for others."""
    return f"({found} AND {name} IS NOT NULL)"


def _literal(value: Any, kind: pa.DataType) -> str:
    if isinstance(value, str):
        return text(value)
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, datetime):
        return _time(value, kind)
    return repr(value)


def _time(value: datetime, kind: pa.DataType) -> str:
    """A point in time; LanceDB takes one without a zone for the column's."""
    if kinds.is_date(kind):
        return f"date '{value.astimezone(timezone.utc).date().isoformat()}'"
    local = value.astimezone(zone_of(kind)).replace(tzinfo=None)
    return f"timestamp '{local.isoformat(sep=' ')}'"
