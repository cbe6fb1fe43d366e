"""Values as Milvus writes them."""

from datetime import UTC, date, datetime

import pyarrow as pa
import pytest

from hf_fashion.retrieval.stores.milvus.literals import literal, one_of, text


def test_nothing_in_a_string_ends_its_quotes():
    assert text('a "b" \\ \n\r\t \\" or id != "') == '"a \\"b\\" \\\\ \\n\\r\\t \\\\\\" or id != \\""'


def test_a_value_is_written_once():
    assert one_of("id", ['"b"', '"a"', '"b"']) == 'id in ["b", "a"]'


@pytest.mark.parametrize(
    ("value", "kind", "expected"),
    [
        ("a", pa.large_string(), '"a"'),
        (True, pa.bool_(), "true"),
        (-5, pa.int8(), "-5"),
        (1e-7, pa.float64(), "1e-07"),
        (1e20, pa.float32(), "1e+20"),
        (date(1969, 12, 31), pa.date32(), "-1"),
        (date(1969, 12, 31), pa.date64(), "-86400000"),
        (datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC), pa.timestamp("s"), "1"),
        (datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC), pa.timestamp("ns", "UTC"), "1000000000"),
    ],
)
def test_a_value_is_written_as_the_column_keeps_it(value, kind, expected):
    assert literal(value, kind) == expected
