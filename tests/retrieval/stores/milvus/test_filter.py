"""Conditions as Milvus's expressions; what they find is tested with the other stores in test_base.py."""

from datetime import UTC, date, datetime

import pytest

from hf_fashion.retrieval.stores.conditions.tree import And, ArrayHasAny, Comparison, IsNull, Like, OneOf, Or
from hf_fashion.retrieval.stores.milvus.columns import MilvusColumns
from hf_fashion.retrieval.stores.milvus.filter import milvus_filter
from tests.retrieval.stores.filtered_rows import table


COLUMNS = MilvusColumns(table().schema)


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        (Comparison("brand", "=", 'say "x"'), 'column_0 == "say \\"x\\""'),
        (Comparison("brand", "!=", "a"), '(column_0 != "a" and column_0 is not null)'),
        (Comparison("id", "!=", "a"), '(id != "a")'),
        (Comparison("price", "<", 2.0), "column_3 < 2.0"),
        (Comparison("new", "=", False), "column_7 == false"),
        (Comparison("day", ">", date(1970, 1, 6)), "column_8 > 5"),
        (Comparison("date", "=", date(1970, 1, 2)), "column_9 == 86400000"),
        (Comparison("added", "=", datetime(1970, 1, 1, 0, 0, 7, tzinfo=UTC)), "column_10 == 7000"),
        (OneOf("stock", (1, -2, 1)), "column_5 in [1, -2]"),
        (OneOf("stock", (1,), negated=True), "(column_5 not in [1] and column_5 is not null)"),
        (OneOf("stock", ()), "(column_5 is not null and column_5 is null)"),
        (OneOf("stock", (), negated=True), "column_5 is not null"),
        (OneOf("id", ("a",), negated=True), '(id not in ["a"])'),
        (Like("brand", "L%"), 'column_0 like "L%"'),
        (Like("brand", "L%", negated=True), '(not (column_0 like "L%") and column_0 is not null)'),
        (ArrayHasAny("sizes", ("M", "L")), 'array_contains_any(column_13, ["M", "L"])'),
        (
            ArrayHasAny("years", (-5,), negated=True),
            "(not (array_contains_any(column_14, [-5])) and column_14 is not null)",
        ),
        (IsNull("sizes"), "column_13 is null"),
        (IsNull("sizes", negated=True), "column_13 is not null"),
        (
            And((IsNull("brand"), Or((IsNull("new"), IsNull("day", negated=True))))),
            "(column_0 is null and (column_7 is null or column_8 is not null))",
        ),
    ],
)
def test_a_condition_is_written_as_an_expression(condition, expected):
    assert milvus_filter(condition, COLUMNS) == expected
