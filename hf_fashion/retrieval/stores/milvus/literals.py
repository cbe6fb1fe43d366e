"""Writes values for Milvus's expressions."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

import pyarrow as pa
import pyarrow.types as kinds

from ..conditions.tree import Value
from ..conditions.values import time_number


_ESCAPES = str.maketrans({"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"})
_DAY_MILLISECONDS = 86_400_000


def text(value: str) -> str:
    """Return a string in quotes, with what would end them escaped. pymilvus itself quotes ids without escaping them.

    Args:
        value (`str`): any string.
    """
    return f'"{value.translate(_ESCAPES)}"'


def one_of(field: str, literals: Iterable[str]) -> str:
    """Return the condition that a field has one of some values.

    Args:
        field (`str`): the field.
        literals (`Iterable[str]`): the values, as Milvus writes them.
    """
    return f"{field} in [{', '.join(dict.fromkeys(literals))}]"  # Milvus Lite finds a row once for each equal value


def literal(value: Value, kind: pa.DataType) -> str:
    """Return a value as Milvus writes it. Dates and timestamps are the numbers that `MilvusColumns` keeps for them.

    Args:
        value (`Value`): of the column's own type.
        kind (`pyarrow.DataType`): the column's type, or that of the items of its lists.
    """
    if isinstance(value, str):
        return text(value)
    if kinds.is_timestamp(kind):
        return str(time_number(value, kind.unit))
    if isinstance(value, date):
        return str(time_number(value, "D") * (_DAY_MILLISECONDS if kinds.is_date64(kind) else 1))
    return str(value).lower() if isinstance(value, bool) else repr(value)
