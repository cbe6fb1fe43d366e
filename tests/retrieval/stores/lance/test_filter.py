"""Conditions as LanceDB's SQL. What they find is tested in test_filters.py, over all stores."""

import pyarrow as pa
import pytest

from hf_fashion.retrieval.stores.filters import read_condition
from hf_fashion.retrieval.stores.lance.filter import lance_filter, text


SCHEMA = pa.schema(
    [
        ("id", pa.string()),
        ("Made In", pa.string()),
        ("sale", pa.bool_()),
        ("day", pa.date32()),
        ("shown", pa.timestamp("us", "Europe/Berlin")),
        ("sizes", pa.list_(pa.string())),
    ]
)


@pytest.mark.parametrize(
    ("condition", "sql"),
    [
        ("`Made In` = 'it''s'", "`Made In` = 'it''s'"),
        ("`Made In` != 'PT'", "(`Made In` != 'PT' AND `Made In` IS NOT NULL)"),
        ("`Made In` NOT IN ('PT')", "(`Made In` NOT IN ('PT') AND `Made In` IS NOT NULL)"),
        ("NOT `Made In` LIKE 'P%'", "(`Made In` NOT LIKE 'P%' AND `Made In` IS NOT NULL)"),
        ("NOT (sale IS TRUE)", "(`sale` = false OR `sale` IS NULL)"),
        ("NOT array_has(sizes, 'M')", "NOT array_has(`sizes`, 'M')"),
        ("day = date '2026-01-01'", "`day` = date '2026-01-01'"),
        ("shown = timestamp '2026-01-01 12:00:00Z'", "`shown` = timestamp '2026-01-01 13:00:00'"),
        ("sale AND id = 'a' OR id = 'b'", "((`sale` = true AND `id` = 'a') OR `id` = 'b')"),
    ],
)
def test_sql(condition, sql):
    columns = {field.name: field.type for field in SCHEMA}
    assert lance_filter(read_condition(condition, columns), SCHEMA) == sql


def test_text_stays_in_its_quotes():
    assert text("' OR 'a' = 'a") == "''' OR ''a'' = ''a'"
