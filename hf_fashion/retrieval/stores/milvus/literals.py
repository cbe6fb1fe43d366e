"""Values as Milvus's expressions write them."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta, timezone, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.types as kinds

from ..sql_tokens import Token


_ESCAPES = str.maketrans({"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"})
_UNITS = {"s": timedelta(seconds=1), "ms": timedelta(milliseconds=1), "us": timedelta(microseconds=1)}
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_TOO_FINE = re.compile(r"[.,]\d{6}\d*[1-9]")  # Python would cut it off


def text(value: str) -> str:
    """A string in quotes, whatever stands in it. pymilvus itself quotes ids without escaping them.

    Args:
        value (`str`): any.
    """
    return f'"{value.translate(_ESCAPES)}"'


def one_of(field: str, literals: Iterable[str]) -> str:
    """The condition that a field has one of some values.

    Args:
        field (`str`): the field.
        literals (`Iterable[str]`): the values, written as Milvus writes them.
    """
    return f"{field} in [{', '.join(dict.fromkeys(literals))}]"  # Milvus Lite finds twice what stands there twice


def literal(tokens: Sequence[Token], kind: pa.DataType, column: str) -> str:
    """A value of SQL that a column is compared with, as Milvus writes it. As in LanceDB, it must be of the column's
    own kind, and fit into its type.

    Args:
        tokens (`Sequence[Token]`): the value: one word, or two where the first is a minus, `timestamp` or `date`.
        kind (`pyarrow.DataType`): of the column, or of the items of its lists.
        column (`str`): its name, for errors.

    Raises:
        ValueError: the value is of another kind, or a timestamp finer than microseconds.
    """
    value = _value(tokens)
    if kinds.is_string(kind) or kinds.is_large_string(kind):
        wanted, found = "text", text(value) if isinstance(value, str) else None
    elif kinds.is_boolean(kind):
        wanted, found = "true or false", str(value).lower() if isinstance(value, bool) else None
    elif kinds.is_integer(kind):
        wanted, found = "whole numbers of its type", _whole(value, kind)
    elif kinds.is_floating(kind):
        wanted, found = "finite numbers", _number(value, kind)
    else:
        wanted, found = "timestamp '...' or date '...' no finer than its type", _time(value, kind)
    if found is None:
        came = " ".join(repr(token.value) if token.kind == "string" else token.value for token in tokens)
        raise ValueError(f"`{column}` ({kind}) can be compared with {wanted}, got {came}")
    return found


def _value(tokens: Sequence[Token]) -> Any:
    first, last = tokens[0], tokens[-1]
    if first.is_word("TIMESTAMP", "DATE"):
        if _TOO_FINE.search(last.value):
            raise ValueError(f"on Milvus a timestamp has at most six digits below the second, got {last.value!r}")
        day = first.is_word("DATE")
        value = date.fromisoformat(last.value) if day else datetime.fromisoformat(last.value.replace("Z", "+00:00"))
        return datetime(value.year, value.month, value.day, tzinfo=timezone.utc) if day else value
    if last.kind != "number":
        return last.value if last.kind == "string" else last.is_word("TRUE")
    return (-1 if first.is_sign("-") else 1) * (int if last.value.isdigit() else float)(last.value)


def _whole(value: Any, kind: pa.DataType) -> str | None:
    if isinstance(value, bool) or not isinstance(value, int):
        return None
    try:
        return str(pa.scalar(value, kind).as_py())
    except (pa.ArrowInvalid, OverflowError):
        return None


def _number(value: Any, kind: pa.DataType) -> str | None:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    try:
        number = float(pa.scalar(float(value), kind).as_py())  # as the column has rounded its own
    except OverflowError:  # of whole numbers; others become infinite
        return None
    return repr(number) if math.isfinite(number) else None


def _time(value: Any, kind: pa.DataType) -> str | None:
    """The number that the column keeps for a point in time."""
    if not isinstance(value, datetime):
        return None
    value = value if value.tzinfo else value.replace(tzinfo=_zone(kind))
    if kinds.is_timestamp(kind) and kind.unit == "ns":
        return str((value - _EPOCH) // _UNITS["us"] * 1000)
    unit = _UNITS[kind.unit] if kinds.is_timestamp(kind) else timedelta(days=1)
    number, rest = divmod(value - _EPOCH, unit)
    number *= 86_400_000 if kinds.is_date64(kind) else 1
    return None if rest else str(number)


def _zone(kind: pa.DataType) -> tzinfo:
    """Where a timestamp that names no zone is meant: as in LanceDB, where the column's are shown."""
    name = getattr(kind, "tz", None)
    if name in (None, "UTC"):
        return timezone.utc
    if name[0] in "+-":
        return datetime.fromisoformat(f"2000-01-01T00:00{name}").tzinfo
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError):
        raise ValueError(f"no time zone {name!r} is known here: write the timestamp with its own, as '...Z'") from None
