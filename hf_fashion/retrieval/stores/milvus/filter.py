"""Writes conditions as Milvus's expressions."""

from __future__ import annotations

from collections.abc import Iterable

from ...schema import ID
from ..conditions.tree import And, ArrayHasAny, Comparison, Condition, IsNull, Like, OneOf, Or
from .columns import MilvusColumns
from .literals import literal, one_of, text


_SIGNS = {"=": "==", "!=": "!=", "<": "<", "<=": "<=", ">": ">", ">=": ">="}


def milvus_filter(condition: Condition, columns: MilvusColumns) -> str:
    """Return Milvus's expression for a condition.

    Args:
        condition (`Condition`): on columns of the table.
        columns (`MilvusColumns`): of the table.
    """
    match condition:
        case And(parts):
            return _joined(" and ", parts, columns)
        case Or(parts):
            return _joined(" or ", parts, columns)
        case IsNull(column, negated):
            return f"{columns.fields[column]} is {'not ' if negated else ''}null"
    return _leaf(condition, columns)


def _leaf(condition: Comparison | OneOf | Like | ArrayHasAny, columns: MilvusColumns) -> str:
    """Servers differ in what `not` and `!=` make of missing values, so these ask for a value too."""
    name = condition.column
    field, kind = columns.fields[name], columns.schema.field(name).type
    match condition:
        case Comparison(_, sign, value):
            found = f"{field} {_SIGNS[sign]} {literal(value, kind)}"
            return _where_there(name, found, columns) if sign == "!=" else found
        case OneOf(_, (), negated) | ArrayHasAny(_, (), negated):
            there = f"{field} is not null"
            return there if negated else f"({there} and {field} is null)"
        case OneOf(_, values, negated):
            found = one_of(f"{field} not" if negated else field, [literal(value, kind) for value in values])
            return _where_there(name, found, columns) if negated else found
        case Like(_, pattern, negated):
            found = f"{field} like {text(pattern)}"
        case ArrayHasAny(_, values, negated):
            # With array_contains Milvus Lite takes no negative numbers.
            items = ", ".join(literal(value, kind.value_type) for value in values)
            found = f"array_contains_any({field}, [{items}])"
    return _where_there(name, f"not ({found})", columns) if negated else found


def _where_there(name: str, found: str, columns: MilvusColumns) -> str:
    """An id is never missing, and Milvus refuses to ask."""
    return f"({found})" if name == ID else f"({found} and {columns.fields[name]} is not null)"


def _joined(word: str, parts: Iterable[Condition], columns: MilvusColumns) -> str:
    return f"({word.join(milvus_filter(part, columns) for part in parts)})"
