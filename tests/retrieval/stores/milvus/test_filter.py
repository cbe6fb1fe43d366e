"""Conditions as Milvus's expressions. What they find is tested in test_filters.py, over all stores."""

from datetime import date, timedelta

import pyarrow as pa
import pytest

from hf_fashion.retrieval.stores.filters import read_condition
from hf_fashion.retrieval.stores.milvus.columns import MilvusColumns
from hf_fashion.retrieval.stores.milvus.filter import milvus_filter, one_of, text
from tests.retrieval.stores.filtered_table import columns, table


def expression(condition) -> str:
    return milvus_filter(read_condition(condition, columns()), MilvusColumns(table().schema))


@pytest.mark.parametrize(
    ("condition", "wanted"),
    [
        ("brand != 'x'", '(column_0 != "x" and column_0 is not null)'),
        ("id != 'x'", '(id != "x")'),
        ("brand NOT IN ('x', 'x')", '(column_0 not in ["x"] and column_0 is not null)'),
        ("NOT brand LIKE 'x%'", '(not (column_0 like "x%") and column_0 is not null)'),
        ("new IS NOT TRUE", "(column_7 == false or column_7 is null)"),
        ("NOT new", "column_7 == false"),
        ("array_has(years, -5)", "array_contains_any(column_13, [-5])"),
        ("price = 1 AND (new OR grade < 3)", "(column_3 == 1.0 and (column_7 == true or column_6 < 3))"),
        ("sold = timestamp '1970-01-01 00:00:07'", "column_11 == 7000000000"),
        ("shown = timestamp '1970-01-01 01:00:07'", "column_15 == 7000000"),
    ],
)
def test_expression(condition, wanted):
    assert expression(condition) == wanted


def test_a_pattern_without_wildcards_is_asked_as_equality():
    """Servers find every text by the empty pattern, Milvus Lite does not."""
    assert expression("brand LIKE ''") == expression("brand = ''")
    assert expression("brand NOT LIKE 'x'") == expression("brand <> 'x'")


def test_days_are_counted():
    day = (date(1970, 1, 1) + timedelta(days=5)).isoformat()
    assert expression(f"day = date '{day}'") == "column_8 == 5"


def test_a_zone_that_milvus_does_not_need_to_know():
    schema = pa.schema([("id", pa.string()), ("seen", pa.timestamp("s", "Nowhere/At_All"))])
    condition = read_condition("seen > timestamp '1970-01-01 00:00:07Z'", {"seen": schema.field("seen").type})
    assert milvus_filter(condition, MilvusColumns(schema)) == "column_0 > 7"


def test_text_and_lists():
    assert text('a"b\\c\n') == '"a\\"b\\\\c\\n"'
    assert one_of("id", ['"a"', '"b"', '"a"']) == 'id in ["a", "b"]'
