"""Conditions as LanceDB's SQL; what it finds is tested with the other stores in test_base.py."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pyarrow as pa
import pytest

from hf_fashion.retrieval.stores.conditions.tree import And, ArrayHasAny, Comparison, IsNull, Like, OneOf, Or
from hf_fashion.retrieval.stores.lance.filter import lance_filter, text


SCHEMA = pa.schema(
    [
        ("id", pa.string()),
        ("Made In", pa.string()),
        ("price", pa.float64()),
        ("new", pa.bool_()),
        ("day", pa.date32()),
        ("added", pa.timestamp("ms")),
        ("seen", pa.timestamp("us", "Europe/Berlin")),
        ("sizes", pa.list_(pa.string())),
        ("times", pa.list_(pa.timestamp("s"))),
        ("cost", pa.decimal128(10, 2)),
    ]
)
NOON = datetime(2026, 1, 31, 12, 0, 0, 5000, tzinfo=UTC)


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        (Comparison("Made In", "!=", "Côte d'Azur"), "`Made In` != 'Côte d''Azur'"),
        (Comparison("price", "<", -1e-7), "`price` < -1e-07"),
        (Comparison("new", "=", True), "`new` = true"),
        (Comparison("day", ">=", date(2026, 1, 31)), "`day` >= date '2026-01-31'"),
        (Comparison("added", "=", NOON), "`added` = timestamp '2026-01-31T12:00:00.005000'"),
        (
            Comparison("seen", "=", NOON),
            "`seen` = arrow_cast('2026-01-31T12:00:00.005000Z', 'Timestamp(Microsecond, Some(\"UTC\"))')",
        ),
        (OneOf("price", (1.0, 2.5)), "`price` IN (1.0, 2.5)"),
        (Comparison("cost", "<=", Decimal("1E+2")), "`cost` <= arrow_cast('100', 'Decimal128(10, 2)')"),
        (OneOf("price", ()), "false"),
        (OneOf("price", (), negated=True), "`price` IS NOT NULL"),
        (ArrayHasAny("sizes", ()), "false"),
        (OneOf("id", ("a",), negated=True), "`id` NOT IN ('a')"),
        (Like("Made In", "P%"), "`Made In` LIKE 'P%'"),
        (Like("Made In", "%'%", negated=True), "`Made In` NOT LIKE '%''%'"),
        (ArrayHasAny("sizes", ("M", "L")), "array_has_any(`sizes`, ['M', 'L'])"),
        (ArrayHasAny("times", (NOON,), negated=True), f"NOT array_has_any(`times`, [timestamp '{NOON:%FT%T.%f}'])"),
        (IsNull("sizes"), "`sizes` IS NULL"),
        (IsNull("sizes", negated=True), "`sizes` IS NOT NULL"),
        (
            And((IsNull("id"), Or((IsNull("new"), IsNull("day", negated=True))))),
            "(`id` IS NULL AND (`new` IS NULL OR `day` IS NOT NULL))",
        ),
    ],
)
def test_a_condition_is_written_in_sql(condition, expected):
    assert lance_filter(condition, SCHEMA) == expected


def test_text_is_not_a_condition():
    with pytest.raises(TypeError, match="'price < 1' is not a condition"):
        lance_filter("price < 1", SCHEMA)


def test_text_is_quoted():
    assert text('it\'s "new"; -- \\') == "'it''s \"new\"; -- \\'"
