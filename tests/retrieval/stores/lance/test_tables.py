"""Tables are opened and created at a place, whose faults are named."""

import sys

import pyarrow as pa
import pytest

from hf_fashion.retrieval.gallery import Gallery
from hf_fashion.retrieval.schema import GallerySchema
from hf_fashion.retrieval.stores.lance.store import LanceStore
from hf_fashion.retrieval.stores.lance.tables import create_table, open_table
from tests.retrieval.galleries import SPACES, filled


SCHEMA = pa.schema([("id", pa.string())])


def test_a_store_that_does_not_answer_is_not_taken_for_none(monkeypatch):
    environment = {
        "AWS_ENDPOINT_URL": "http://127.0.0.1:1",  # nobody listens there
        "AWS_ALLOW_HTTP": "true",
        "AWS_ACCESS_KEY_ID": "id",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_REGION": "us-east-1",
        "OBJECT_STORE_CLIENT_MAX_RETRIES": "0",
        "OBJECT_STORE_CLIENT_RETRY_TIMEOUT": "1",
    }
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(OSError, match=r"s3://shop/gallery cannot be reached, .* Check the URI, .* refused") as error:
        Gallery.open("s3://shop/gallery")
    assert not isinstance(error.value, FileNotFoundError)


def test_an_absent_gallery_of_a_store_is_none(tmp_path):
    with pytest.raises(FileNotFoundError, match="there is no gallery at file://"):
        Gallery.open(f"file://{tmp_path}/gallery")
    assert len(Gallery.create(f"file://{tmp_path}/gallery", SPACES)) == 0
    assert len(Gallery.open(f"file://{tmp_path}/gallery")) == 0


def test_without_lancedb_the_extra_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "lancedb", None)
    with pytest.raises(ImportError, match=r"pip install 'hf-fashion\[gallery\]'"):
        Gallery.create(tmp_path / "gallery", SPACES)


def test_a_place_means_the_same_in_every_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    (tmp_path / "home").mkdir()
    gallery = filled("~/gallery", axes=3)
    assert gallery.info()["uri"] == str(tmp_path / "home" / "gallery")
    with pytest.raises(FileExistsError):
        filled("~/gallery", axes=2)
    monkeypatch.chdir(tmp_path / "home")
    opened = Gallery.open("gallery")
    monkeypatch.chdir(tmp_path)
    opened.save_pretrained("saved")
    assert len(Gallery.from_pretrained("saved", uri="copy")) == len(Gallery.open("~/gallery")) == 40


def test_a_creation_that_was_overtaken_leaves_the_other_gallery(tmp_path, monkeypatch):
    schema = GallerySchema(SPACES, pa.schema([]), "").to_table()
    LanceStore.create(str(tmp_path), schema)

    def not_yet(_):
        raise FileNotFoundError

    monkeypatch.setattr(LanceStore, "open", not_yet)
    with pytest.raises(FileExistsError, match="another process has created the gallery"):
        LanceStore.create(str(tmp_path), schema)


@pytest.mark.parametrize("content", [SCHEMA, SCHEMA.empty_table()], ids=["schema", "table"])
def test_a_table_is_created_once(tmp_path, content):
    with pytest.raises(FileNotFoundError, match=f"there is no gallery at {tmp_path}"):
        open_table(str(tmp_path), "photos")
    create_table(str(tmp_path), "photos", content)
    assert open_table(str(tmp_path), "photos").schema == SCHEMA
    with pytest.raises(FileExistsError, match="another process has created the gallery"):
        create_table(str(tmp_path), "photos", content)
    rows = pa.table({"id": ["a"]})
    assert create_table(str(tmp_path), "photos", rows, overwrite=True).count_rows() == 1
