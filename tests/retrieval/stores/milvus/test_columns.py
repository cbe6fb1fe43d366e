"""Columns and values that Milvus cannot keep are named, and nothing is added."""

import pyarrow as pa
import pytest
import torch

from hf_fashion.retrieval.gallery import Gallery
from tests.retrieval.galleries import SPACES


STRANGE = [pa.binary(), pa.uint64(), pa.decimal128(5, 2), pa.time32("s"), pa.struct([("a", pa.int8())])]
STRANGE += [pa.list_(pa.list_(pa.int8())), pa.list_(pa.binary()), pa.dictionary(pa.int8(), pa.string())]


@pytest.mark.parametrize("kind", STRANGE, ids=str)
def test_a_column_that_milvus_cannot_keep_is_named(milvus_uri, kind):
    with pytest.raises(ValueError) as error:
        Gallery.create(milvus_uri, SPACES, pa.schema([("brand", pa.string()), ("odd one", kind)]))
    assert f"cannot keep the metadata column 'odd one' of type {kind}: it keeps strings" in str(error.value)
    with pytest.raises(FileNotFoundError):
        Gallery.open(milvus_uri)


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("text", "ä" * 32_768, "at most 65,535 bytes a string, column 'text' has one of 65,536"),
        ("text", "ä" * 32_767, None),
        ("sizes", ["S", None], "no missing values inside lists, column 'sizes'"),
        ("numbers", [0.0, float("nan")], "no missing values inside lists, column 'numbers'"),
        ("sizes", ["S"] * 4097, "at most 4,096 items a list, column 'sizes' has one of 4,097"),
        ("sizes", ["x" * 65_536], "at most 65,535 bytes a string, column 'sizes'"),
    ],
)
def test_a_value_that_milvus_cannot_keep_is_said_and_nothing_is_added(milvus_uri, column, value, message):
    lists = [("sizes", pa.list_(pa.string())), ("numbers", pa.list_(pa.float32()))]
    gallery = Gallery.create(
        milvus_uri, {"image": 2}, pa.schema([("text", pa.string()), ("price", pa.float32()), *lists])
    )
    rows = {name: [None, None] for name in gallery.schema.metadata.names} | {column: [None, value]}
    if message is None:
        gallery.add(["a", "b"], {"image": torch.eye(2)}, rows)
        assert gallery.search(torch.eye(2)[1:], "image", 1).metadata[0][0][column] == value
        return
    version = gallery.info()["version"]
    with pytest.raises(ValueError, match=message):
        gallery.add(["a", "b"], {"image": torch.eye(2)}, rows)
    assert gallery.info()["version"] == version and len(gallery) == 0
