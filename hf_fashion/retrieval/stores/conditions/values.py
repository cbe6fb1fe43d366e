"""Values that columns are compared with, checked against the column's type."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta, tzinfo
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.types as kinds

from ...schema import ID
from .numbers import is_number_type
from .tree import Value


MAX_TEXT = 10_000  # characters of one value
_UNITS = {"s": timedelta(seconds=1), "ms": timedelta(milliseconds=1), "us": timedelta(microseconds=1)}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TOO_FINE = re.compile(r"[.,]\d{6}\d*[1-9]")  # Python would cut it off
_MAX_NANOSECONDS = 2**63 - 1


def checked_value(value: Any, kind: pa.DataType, column: str) -> Value:
    """Return a value as the column itself would hold it, timestamps in UTC; numbers as they are.

    Args:
        value (`Any`): the filter's value.
        kind (`pyarrow.DataType`): the column's type, or that of the items of its lists.
        column (`str`): the column's name, for the error.

    Raises:
        ValueError: the value is of another type, or a text or time that is too long or too fine for the column.
    """
    wanted, found = _converted(value, kind)
    if found is None:
        raise ValueError(
            f"`{column}` ({kind}) can be compared with {wanted}, got {_shown(value)}{_why_text(value, kind, column)}"
        )
    return found


def _shown(value: Any) -> str:
    """Numbers of SQL are decimals, which nobody has written as such."""
    return f"{value!s:.80}" if isinstance(value, Decimal) else f"{value!r:.80}"


def _why_text(value: Any, kind: pa.DataType, column: str) -> str:
    """What to write in place of a value that text cannot be compared with: in feeds much is text."""
    if not is_text(kind) or not isinstance(value, (bool, int, float, Decimal, date)):
        return ""
    text = str(value).lower() if isinstance(value, bool) else str(value)
    if column == ID:
        more = "as ids are text always"
    elif isinstance(value, date):
        more = "as the catalogue has it; ISO dates are ordered as text too"
    elif isinstance(value, bool):
        more = "as the catalogue has it"
    else:
        more = "or make it numbers in the catalogue, and embed that into another gallery: text has another order"
    return f". The column holds text: write '{text:.80}' in quotes, {more}"


def is_text(kind: pa.DataType) -> bool:
    """Return whether a column of this type holds text.

    Args:
        kind (`pyarrow.DataType`): the column's type.
    """
    return kinds.is_string(kind) or kinds.is_large_string(kind) or kinds.is_string_view(kind)


def read_time(text: str, *types: type[date]) -> date:
    """Read a date or a timestamp in ISO's form.

    Args:
        text (`str`): such as `"2026-01-31"` or `"2026-01-31 12:00:00Z"`.
        *types (`type`): `date`, `datetime` or both: what it may be, the first that fits.

    Raises:
        ValueError: it is none of them, or finer than microseconds.
    """
    if _TOO_FINE.search(text):
        raise ValueError(f"a timestamp has at most six digits below the second, got {text!r:.80}")
    for kind in types:
        try:
            return kind.fromisoformat(text.replace("Z", "+00:00"))
        except ValueError:
            continue
    names = " or a ".join("timestamp" if kind is datetime else "date" for kind in types)
    raise ValueError(f"{text!r:.80} is not a {names} such as '2026-01-31'")


def time_number(value: date | datetime, unit: str) -> int:
    """Return the number of units since 1970 that a column keeps for a point in time.

    Args:
        value (`date` or `datetime`): a date, or a timestamp with its zone.
        unit (`str`): `"s"`, `"ms"`, `"us"` or `"ns"` for timestamps, `"D"` for dates.
    """
    if unit == "D":
        return (value - _EPOCH.date()).days
    if unit == "ns":
        return (value - _EPOCH) // _UNITS["us"] * 1000
    return (value - _EPOCH) // _UNITS[unit]


def _converted(value: Any, kind: pa.DataType) -> tuple[str, Value | None]:
    """What a column of this type is compared with, in words, and the value; none where it is something else."""
    if is_text(kind):
        return f"text of at most {MAX_TEXT:,} characters", _text(value)
    if kinds.is_boolean(kind):
        return "true or false", value if isinstance(value, bool) else None
    if is_number_type(kind):
        return "finite numbers", _number(value)
    if kinds.is_date(kind):
        return "dates: date '...', or timestamp '...' at midnight", _day(value)
    if kinds.is_timestamp(kind):
        return f"timestamp '...' or date '...' no finer than {kind.unit}", _time(value, kind)
    return "nothing: only IS NULL can be asked", None


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and len(value) <= MAX_TEXT else None


def _number(value: Any) -> int | float | Decimal | None:
    if isinstance(value, bool) or not isinstance(value, (int, float, Decimal)):
        return None
    return value if Decimal(value).is_finite() else None


def _day(value: Any) -> date | None:
    if not isinstance(value, datetime):
        return value if isinstance(value, date) else None
    moment = _in_utc(value, None)
    at_midnight = moment is not None and not (moment - _EPOCH) % timedelta(days=1)
    return moment.date() if at_midnight else None


def _time(value: Any, kind: pa.DataType) -> datetime | None:
    if not isinstance(value, date):
        return None
    if not isinstance(value, datetime):
        value = datetime(value.year, value.month, value.day)
    moment = _in_utc(value, kind.tz)
    if moment is None:
        return None
    if kind.unit == "ns":
        return moment if abs(time_number(moment, "ns")) <= _MAX_NANOSECONDS else None
    return None if (moment - _EPOCH) % _UNITS[kind.unit] else moment


def _in_utc(value: datetime, zone: str | None) -> datetime | None:
    """The moment in UTC; `zone` is that of a timestamp without one. None if it is outside the supported years."""
    try:
        return (value if value.tzinfo else value.replace(tzinfo=_zone(zone))).astimezone(UTC)
    except OverflowError:
        return None


def _zone(name: str | None) -> tzinfo:
    if name in (None, "UTC"):
        return UTC
    if name[0] in "+-":
        return datetime.fromisoformat(f"2000-01-01T00:00{name}").tzinfo
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError):
        raise ValueError(
            f"the time zone {name!r} is not known here. Write the timestamp with its own zone, as '...Z'"
        ) from None
