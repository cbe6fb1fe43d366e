"""A gallery's URI names the database that keeps it."""

import sys

import pyarrow as pa
import pytest

from hf_fashion.retrieval.stores.lance.store import LanceStore
from hf_fashion.retrieval.stores.milvus.store import MilvusStore
from hf_fashion.retrieval.stores.opening import create_store, open_store, require_database


SCHEMA = pa.schema([("id", pa.string()), ("vector_0", pa.list_(pa.float16(), 2))])


def test_a_folder_is_lancedbs(tmp_path):
    for uri in (str(tmp_path / "gallery"), f"file://{tmp_path}/other"):
        assert type(create_store(uri, SCHEMA, {"axes": b"1"})) is type(open_store(uri)) is LanceStore
        assert open_store(uri).attachments() == {"axes": b"1"}


def test_a_uri_of_milvus_is_milvuss(milvus_uri):
    assert type(create_store(milvus_uri, SCHEMA, {"axes": b"1"})) is type(open_store(milvus_uri)) is MilvusStore
    assert open_store(milvus_uri).attachments() == {"axes": b"1"}


def test_a_gallery_is_created_once_and_opened_when_it_is_there(place):
    with pytest.raises(FileNotFoundError, match="there is no gallery at"):
        open_store(place)
    create_store(place, SCHEMA)
    with pytest.raises(FileExistsError, match=r"there is a gallery at .* already; open it, or choose another place"):
        create_store(place, SCHEMA)


def test_an_unknown_form_of_milvus_is_refused():
    with pytest.raises(ValueError, match="must have a URI such as"):
        open_store("milvus+ftp://host/shop")


@pytest.mark.parametrize(
    ("uri", "module", "extra"),
    [
        ("my_gallery", "lancedb", "gallery"),
        ("s3://shop/gallery", "lancedb", "gallery"),
        ("milvus+http://host:19530/gallery", "pymilvus", "milvus"),
    ],
)
def test_a_database_that_is_not_installed_is_named_before_anything_is_opened(monkeypatch, uri, module, extra):
    require_database(uri)
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(ImportError, match=rf"pip install 'hf-fashion\[{extra}\]'"):
        require_database(uri)
