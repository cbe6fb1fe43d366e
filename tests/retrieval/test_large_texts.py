"""Columns of text that may have more than 2 GB."""

import pyarrow as pa

from hf_fashion.retrieval.large_texts import with_large_texts


ROWS = {
    "id": ["a", "b", "c"],
    "title": ["coat", None, "dress"],
    "tags": [["red", None], [], None],
    "code": [b"1", b"2", None],
    "price": [1.5, None, 2.0],
    "sizes": [[38], None, [40, 42]],
}


def test_texts_get_large_types_and_keep_their_values():
    table = pa.concat_tables([pa.table(ROWS), pa.table(ROWS)])
    large = with_large_texts(table)
    assert large.take([5, 0]).to_pylist() == table.take([5, 0]).to_pylist()
    assert large.to_pylist() == table.to_pylist()
    assert {name: str(large.schema.field(name).type) for name in ROWS} == {
        "id": "large_string",
        "title": "large_string",
        "tags": "large_list<item: large_string>",
        "code": "large_binary",
        "price": "double",
        "sizes": "list<item: int64>",
    }
