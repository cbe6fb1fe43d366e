"""Values become what their column holds, or are refused with what it can be compared with."""

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import pyarrow as pa
import pytest

from hf_fashion.retrieval.stores.conditions.values import MAX_TEXT, checked_value, read_time, time_number


UTC = UTC
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "kind", "expected"),
    [
        ("Acme", pa.string(), "Acme"),
        ("", pa.large_string(), ""),
        (True, pa.bool_(), True),
        (-128, pa.int8(), -128),
        (2**64, pa.uint8(), 2**64),
        (0.1, pa.int64(), 0.1),
        (Decimal("0.1"), pa.decimal128(5, 2), Decimal("0.1")),
        (date(2026, 1, 1), pa.date32(), date(2026, 1, 1)),
        (datetime(2026, 1, 1), pa.date64(), date(2026, 1, 1)),
        (datetime(2026, 1, 1, 2, tzinfo=timezone(timedelta(hours=2))), pa.date32(), date(2026, 1, 1)),
        (date(2026, 1, 1), pa.timestamp("s"), datetime(2026, 1, 1, tzinfo=UTC)),
        (date(2026, 1, 1), pa.timestamp("s", "+12:00"), datetime(2025, 12, 31, 12, tzinfo=UTC)),
        (datetime(2026, 1, 1, 12), pa.timestamp("s"), NOON),
        (datetime(2026, 1, 1, 12), pa.timestamp("ns"), NOON),
        (datetime(2026, 1, 1, 12), pa.timestamp("us", "UTC"), NOON),
        (datetime(2026, 1, 1, 13), pa.timestamp("us", "Europe/Berlin"), NOON),
        (datetime(2026, 1, 1, 17, 30), pa.timestamp("ms", "+05:30"), NOON),
        (NOON, pa.timestamp("us", "Europe/Berlin"), NOON),
        (NOON, pa.timestamp("s", "Nowhere/At_All"), NOON),
    ],
)
def test_a_value_becomes_what_the_column_holds(value, kind, expected):
    found = checked_value(value, kind, "column")
    assert found == expected and type(found) is type(expected)


@pytest.mark.parametrize(
    ("value", "kind", "message"),
    [
        (1, pa.string(), r"`column` \(string\) can be compared with text of .*, got 1\. The column holds"),
        (None, pa.string(), "with text .*, got None"),
        ("x" * (MAX_TEXT + 1), pa.string(), "text of at most 10,000 characters, got 'xxx"),
        ("true", pa.bool_(), r"\(bool\) can be compared with true or false, got 'true'"),
        (1, pa.bool_(), "true or false, got 1"),
        (Decimal("1.5"), pa.string(), r"with text of .*, got 1\.5\. The column holds"),
        (True, pa.int64(), "finite numbers, got True"),
        (Decimal("nan"), pa.int64(), "finite numbers, got NaN"),
        ("cheap", pa.float64(), r"\(double\) can be compared with finite numbers, got 'cheap'"),
        (True, pa.float64(), "finite numbers, got True"),
        (float("nan"), pa.float64(), "finite numbers, got nan"),
        (float("inf"), pa.float64(), "finite numbers, got inf"),
        ("2026-01-01", pa.date32(), r"\(date32\[day\]\) can be compared with dates: date '...'"),
        (NOON, pa.date32(), "timestamp '...' at midnight, got datetime"),
        (datetime(2026, 1, 1, 12, microsecond=1), pa.timestamp("ms"), "date '...' no finer than ms"),
        (datetime(2300, 1, 1), pa.timestamp("ns"), "no finer than ns"),
        (datetime.max.replace(tzinfo=timezone(timedelta(hours=-1))), pa.timestamp("us"), "no finer than us"),
        (b"x", pa.binary(), r"\(binary\) can be compared with nothing: only IS NULL can be asked"),
        (1, pa.struct([("a", pa.int8())]), "only IS NULL"),
    ],
)
def test_a_value_of_another_type_is_refused(value, kind, message):
    with pytest.raises(ValueError, match=message) as error:
        checked_value(value, kind, "column")
    assert len(str(error.value)) < 250


@pytest.mark.parametrize(
    ("value", "column", "advice"),
    [
        (1004, "id", r"got 1004\. The column holds text: write '1004' in quotes, as ids are text always$"),
        (Decimal("38.5"), "size", r"write '38\.5' in quotes, or make it numbers in the catalogue"),
        (True, "on_sale", r"write 'true' in quotes, as the catalogue has it$"),
        (date(2026, 1, 5), "added", r"write '2026-01-05' in quotes, as the catalogue has it; ISO dates are ordered"),
    ],
)
def test_what_to_write_for_a_column_of_text_is_said(value, column, advice):
    with pytest.raises(ValueError, match=advice):
        checked_value(value, pa.string(), column)


def test_times_are_read_from_text():
    assert read_time("2026-01-31", date, datetime) == date(2026, 1, 31)
    assert read_time("2026-01-01T12:00:00Z", date, datetime) == NOON
    assert read_time("2026-01-31", datetime) == datetime(2026, 1, 31)
    with pytest.raises(ValueError, match="'yesterday' is not a date or a timestamp such as '2026-01-31'"):
        read_time("yesterday", date, datetime)
    with pytest.raises(ValueError, match=r"at most six digits below the second, got '2026-01-31 12:00:00\.1234567'"):
        read_time("2026-01-31 12:00:00.1234567", datetime)


def test_a_zone_that_is_not_known_is_named():
    with pytest.raises(ValueError, match=r"the time zone 'Nowhere/At_All' is not known here\. Write the timestamp"):
        checked_value(datetime(2026, 1, 1), pa.timestamp("s", "Nowhere/At_All"), "column")


@pytest.mark.parametrize(
    ("value", "unit", "expected"),
    [
        (date(1969, 12, 31), "D", -1),
        (datetime(1970, 1, 1, 0, 0, 7, tzinfo=UTC), "s", 7),
        (datetime(1969, 12, 31, 23, 59, 59, tzinfo=UTC), "ms", -1000),
        (datetime(1970, 1, 1, 0, 0, 0, 3, tzinfo=UTC), "us", 3),
        (datetime(1970, 1, 1, 0, 0, 0, 3, tzinfo=UTC), "ns", 3000),
    ],
)
def test_time_is_counted_from_1970(value, unit, expected):
    assert time_number(value, unit) == expected
