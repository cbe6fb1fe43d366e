"""Tables are opened and created at a place, whose faults are named."""

import sys

import pyarrow as pa
import pytest

from hf_fashion.retrieval.gallery import Gallery
from hf_fashion.retrieval.stores.lance import tables
from hf_fashion.retrieval.stores.lance.tables import create_table, drop_tables, newest_version, open_table
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


@pytest.mark.parametrize("content", [SCHEMA, SCHEMA.empty_table()], ids=["schema", "table"])
def test_a_table_is_created_once(tmp_path, content):
    with pytest.raises(FileNotFoundError, match=f"there is no gallery at {tmp_path}"):
        open_table(str(tmp_path), "photos")
    create_table(str(tmp_path), "photos", content)
    assert open_table(str(tmp_path), "photos").schema == SCHEMA
    with pytest.raises(FileExistsError, match="another process has created the gallery"):
        create_table(str(tmp_path), "photos", content)


def test_tables_are_dropped_by_the_beginning_of_their_names(tmp_path):
    names = ["gallery", *(f"attachments_{number}" for number in range(15))]
    for name in names:
        create_table(str(tmp_path), name, SCHEMA)
    drop_tables(str(tmp_path), "attachments_")
    assert [path.name for path in tmp_path.iterdir()] == ["gallery.lance"]
    drop_tables(str(tmp_path), "attachments_")


def test_a_table_that_another_process_is_replacing_is_opened_again(tmp_path, monkeypatch):
    create_table(str(tmp_path), "photos", SCHEMA)
    versions = tmp_path / "photos.lance" / "_versions"
    (tmp_path / "photos.lance" / "data").mkdir()
    (tmp_path / "photos.lance" / "data" / "rows").write_bytes(b"")
    versions.rename(tmp_path / "aside")
    monkeypatch.setattr(tables.time, "sleep", lambda _: (tmp_path / "aside").rename(versions))
    assert open_table(str(tmp_path), "photos").schema == SCHEMA


@pytest.mark.parametrize("note", ["", "[]", "{}", '{"version": "x"}', None])
def test_a_note_of_the_newest_version_that_cannot_be_read_is_none(tmp_path, note):
    create_table(str(tmp_path), "photos", SCHEMA)
    assert newest_version(str(tmp_path), "photos") == 1
    path = tmp_path / "photos.lance" / "_versions" / "latest_version_hint.json"
    path.unlink() if note is None else path.write_text(note)
    assert newest_version(str(tmp_path), "photos") is None
    assert newest_version(f"file://{tmp_path}", "photos") is None
