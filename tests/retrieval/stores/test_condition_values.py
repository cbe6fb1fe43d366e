"""Values of filters: what fits a column's type, and which point in time a text means."""

from datetime import date, datetime, timedelta, timezone

import pyarrow as pa
import pytest

from hf_fashion.retrieval.stores.condition_values import MAX_VALUES, Columns, point_in_time, shown, zone_of
from hf_fashion.retrieval.stores.conditions import Comparison


def value(kind: pa.DataType, given):
    return Columns({"column": kind}).comparison("column", "=", given).value


@pytest.mark.parametrize(
    ("kind", "given", "kept"),
    [
        (pa.float32(), 0.1, 0.10000000149011612),
        (pa.float64(), 3, 3.0),
        (pa.int8(), -128, -128),
        (pa.large_string(), "x", "x"),
        (pa.date32(), date(2026, 1, 1), datetime(2026, 1, 1, tzinfo=timezone.utc)),
        (pa.timestamp("s"), datetime(2026, 1, 1, 5), datetime(2026, 1, 1, 5, tzinfo=timezone.utc)),
        (pa.timestamp("us", "+05:30"), datetime(2026, 1, 1, 5, 30), datetime(2026, 1, 1, tzinfo=timezone.utc)),
        (pa.timestamp("us", "Europe/Berlin"), datetime(2026, 7, 1, 2), datetime(2026, 7, 1, tzinfo=timezone.utc)),
    ],
)
def test_values_are_those_of_the_column(kind, given, kept):
    assert value(kind, given) == kept and type(value(kind, given)) is type(kept)


@pytest.mark.parametrize(
    ("kind", "given"),
    [
        (pa.int8(), 128),
        (pa.int64(), 1.0),
        (pa.int64(), True),
        (pa.float32(), 1e39),
        (pa.float64(), 10**400),
        (pa.string(), 5),
        (pa.bool_(), 1),
        (pa.date32(), datetime(2026, 1, 1, 12)),
        (pa.timestamp("s"), datetime(2026, 1, 1, 0, 0, 0, 1)),
        (pa.timestamp("s"), 1767225600),
    ],
)
def test_other_values_are_refused(kind, given):
    with pytest.raises(ValueError, match=r"`column` \(.*\) is compared with .*, got "):
        value(kind, given)


def test_lists_are_bounded():
    columns = Columns({"size": pa.int64()})
    assert len(columns.among("size", range(MAX_VALUES), negated=False).values) == MAX_VALUES
    with pytest.raises(ValueError, match=rf"1 to {MAX_VALUES:,} values, got {MAX_VALUES + 1:,}"):
        columns.among("size", range(MAX_VALUES + 1), negated=False)


def test_a_name_in_quotes_keeps_its_case():
    columns = Columns({"Size": pa.int64()})
    assert columns.named("size", exactly=False) == "Size"
    with pytest.raises(ValueError, match="there is no column 'size'"):
        columns.named("size", exactly=True)


def test_not_of_a_comparison_is_the_opposite():
    assert Columns({"size": pa.int64()}).comparison("size", "<", 3, negated=True) == Comparison("size", ">=", 3)


def test_a_text_is_a_day_or_a_point_in_time():
    assert point_in_time("2026-01-01", day=True) == date(2026, 1, 1)
    assert point_in_time("2026-01-01T12:00:00Z", day=False) == datetime(2026, 1, 1, 12, tzinfo=timezone.utc)
    with pytest.raises(ValueError, match="at most six digits below the second"):
        point_in_time("2026-01-01 12:00:00,0000001Z", day=False)


def test_zones():
    assert zone_of(pa.date32()) is zone_of(pa.timestamp("s")) is zone_of(pa.timestamp("s", "UTC")) is timezone.utc
    assert zone_of(pa.timestamp("s", "-03:00")).utcoffset(None) == timedelta(hours=-3)
    with pytest.raises(ValueError, match="no time zone 'Nowhere/At_All' is known here"):
        zone_of(pa.timestamp("s", "Nowhere/At_All"))


@pytest.mark.parametrize(
    ("value", "text"),
    [(True, "true"), ("x", "'x'"), (date(2026, 1, 1), "date '2026-01-01'"), ("y" * 200, "'" + "y" * 99)],
)
def test_values_are_shown_as_sql_writes_them(value, text):
    assert shown(value) == text
