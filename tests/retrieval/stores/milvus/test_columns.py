"""Columns and values that Milvus cannot keep are named, and nothing is added."""

import pyarrow as pa
import pytest
import torch

from hf_fashion.retrieval.gallery import Gallery
from tests.data.corpora import products
from tests.retrieval.galleries import SPACES
from tests.tiny_attribute import tiny_asen, tiny_image_processor
from tests.tiny_e2 import tiny_model, tiny_processor


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
        ("text", "ä" * 32_768, "at most 65,535 bytes a string in column 'text', row 1 has 65,536"),
        ("text", "ä" * 32_767, None),
        ("sizes", ["S", None], "no missing values in lists in column 'sizes', row 1 has one"),
        ("numbers", [0.0, float("nan")], "no missing values in lists in column 'numbers', row 1 has one"),
        ("sizes", ["S"] * 4097, "at most 4,096 items a list in column 'sizes', row 1 has 4,097"),
        ("sizes", ["x" * 65_536], "at most 65,535 bytes a string in column 'sizes', row 1 has 65,536"),
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


def test_values_that_milvus_cannot_keep_are_named_before_anything_is_embedded(milvus_uri):
    model, processor = tiny_model(), tiny_processor()
    sizes = products(6).add_column("sizes", [["S"]] * 4 + [["S", None], ["M"]])
    options = {"id_column": "id", "metadata_columns": ["sizes"], "batch_size": 2, "progress": False}
    with pytest.raises(ValueError, match=r"in lists in column 'sizes', row 4 \(id 'p004'\) has one"):
        Gallery.from_dataset(sizes, model, processor, uri=milvus_uri, **options)
    assert len(Gallery.open(milvus_uri)) == 0


def test_products_of_another_gallery_that_milvus_cannot_keep_are_named(milvus_uri, tmp_path):
    gallery = Gallery.create(tmp_path / "gallery", {"image": 2}, pa.schema([("sizes", pa.list_(pa.string()))]))
    gallery.add(["a", "b", "c"], {"image": torch.ones(3, 2)}, {"sizes": [["S"], ["S", None], None]})
    gallery.save_pretrained(tmp_path / "saved")
    with pytest.raises(ValueError, match=r"in lists in column 'sizes', product 'b' of .*saved has one"):
        Gallery.from_pretrained(tmp_path / "saved", uri=milvus_uri)


def test_an_update_names_the_row_that_was_given(milvus_uri):
    gallery = Gallery.create(milvus_uri, {"image": 2}, pa.schema([("text", pa.string())]))
    gallery.add(["a", "b", "c"], {"image": torch.ones(3, 2)}, {"text": ["x", "y", "z"]})
    with pytest.raises(ValueError, match=r"in column 'text', row 0 has 65,536"):
        gallery.update(["c", "a"], {"text": ["x" * 65_536, "x"]})


def test_new_spaces_are_not_embedded_for_metadata_that_milvus_cannot_keep(milvus_uri, tmp_path):
    model, processor = tiny_asen(local=True), tiny_image_processor()
    sizes = products(4).add_column("sizes", [["S"], ["M"], ["S", None], None])
    options = {"id_column": "id", "progress": False}
    gallery = Gallery.from_dataset(
        sizes, model, processor, uri=tmp_path / "gallery", metadata_columns=["sizes"], **options
    )
    grown = model.add_attribute("heel height", ["flat", "high"])
    with pytest.raises(ValueError, match=r"in lists in column 'sizes', product 'p002' of .*gallery has one"):
        gallery.add_spaces(sizes, grown, processor, uri=milvus_uri, **options)
