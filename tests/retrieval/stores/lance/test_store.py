"""What LanceDB keeps: damage is noticed, small files are joined."""

import resource
import shutil
import sys
from pathlib import Path
from types import SimpleNamespace

import pyarrow as pa
import pytest

from hf_fashion.retrieval.gallery import Gallery
from hf_fashion.retrieval.schema import GallerySchema
from hf_fashion.retrieval.stores.conditions import Comparison
from hf_fashion.retrieval.stores.lance import store as lance_store
from hf_fashion.retrieval.stores.lance.errors import failure
from hf_fashion.retrieval.stores.lance.store import LanceStore
from tests.retrieval.galleries import SPACES, filled, ids, metadata, vectors


def cut_off(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def newest(folder: Path) -> Path:
    return max(folder.iterdir(), key=lambda path: path.stat().st_mtime_ns)


@pytest.mark.parametrize(
    "damage",
    [
        lambda table: newest(table / "data").unlink(),
        lambda table: cut_off(newest(table / "data")),
        lambda table: newest(table / "data").write_bytes(b"x" * 5000),
        lambda table: newest(table / "_deletions").unlink(),
        lambda table: [cut_off(manifest) for manifest in (table / "_versions").glob("*.manifest")],
        lambda table: shutil.rmtree(table / "_versions"),
    ],
    ids=["file missing", "file cut off", "file overwritten", "deletions missing", "versions cut off", "no versions"],
)
def test_a_damaged_gallery_is_refused(tmp_path, damage):
    gallery = filled(tmp_path / "gallery")
    gallery.delete(["p000"])
    damage(tmp_path / "gallery" / "gallery.lance")
    with pytest.raises(OSError, match=r"is damaged: .*delete it and embed the catalogue again"):
        Gallery.open(tmp_path / "gallery")


@pytest.mark.parametrize("byte", [b"\0", b"\xff"])
def test_vectors_that_were_overwritten_are_noticed_when_they_are_read(tmp_path, byte):
    filled(tmp_path / "gallery", 400)
    path = newest(tmp_path / "gallery" / "gallery.lance" / "data")
    content = bytearray(path.read_bytes())
    content[len(content) // 2 : len(content) // 2 + 800] = byte * 800
    path.write_bytes(content)
    gallery = Gallery.open(tmp_path / "gallery")
    with pytest.raises(OSError, match="is damaged: vectors that were stored with length 1 have another length"):
        for space in SPACES:
            gallery.search(vectors(1)[space], space, 400)


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


def changes(gallery: Gallery) -> dict:
    """Every call that writes or reads the table's manifest."""
    return {
        "count": lambda: len(gallery),
        "add": lambda: gallery.add(ids(1, first=50), vectors(1), metadata(1)),
        "delete": lambda: gallery.delete(["p001"]),
        "index": lambda: gallery._store.build_index(["vector_0"], "IVF_HNSW_SQ"),
    }


@pytest.mark.parametrize("change", ["count", "add", "delete", "index"])
def test_damage_while_a_gallery_is_open_is_named(tmp_path, change):
    gallery = filled(tmp_path / "gallery")
    for manifest in (tmp_path / "gallery" / "gallery.lance" / "_versions").glob("*.manifest"):
        cut_off(manifest)
    with pytest.raises(OSError, match=r"gallery is damaged: .*delete it and embed the catalogue again"):
        changes(gallery)[change]()


@pytest.mark.parametrize("change", ["add", "delete", "index"])
def test_a_full_disk_is_no_damage(tmp_path, change):
    gallery = filled(tmp_path / "gallery")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, hard))  # the nearest to a full disk that a test can make
    try:
        with pytest.raises(OSError, match=r"what it held is kept\. Check the disk, its free space.*File too large"):
            changes(gallery)[change]()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert len(gallery) == 40


def test_another_writer_and_a_lost_network_are_no_damage():
    conflict = RuntimeError("lance error: Retryable commit conflict for version 3: changed by a concurrent writer")
    assert "another process changed it at the same time" in str(failure("gallery", conflict))
    lost = RuntimeError("lance error: LanceError(IO): Generic S3 error: error sending request")
    assert "s3://shop/gallery cannot be reached" in str(failure("s3://shop/gallery", lost))


def test_mistakes_of_the_caller_keep_their_own_errors(tmp_path, monkeypatch):
    store = LanceStore.open(filled(tmp_path / "gallery")._store.uri)
    with pytest.raises(ValueError, match="strange"):
        store.upsert(store.read(["id"]).append_column("strange", pa.array([1] * 40)))
    with pytest.raises(AttributeError):
        store.delete([3])

    def endless():
        raise RecursionError("too deep")

    monkeypatch.setattr(store, "_table", SimpleNamespace(count_rows=endless))
    with pytest.raises(RecursionError, match="too deep"):
        store.count()


def test_attachments_that_are_damaged_are_not_taken_for_none(tmp_path):
    LanceStore.create(str(tmp_path), GallerySchema(SPACES, pa.schema([]), "").to_table(), {"axes": b"1"})
    store = LanceStore.open(str(tmp_path))
    shutil.rmtree(tmp_path / "attachments.lance" / "_versions")
    with pytest.raises(OSError, match="is damaged: there are data, but no version of the table"):
        store.attachments()


def test_without_lancedb_the_extra_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "lancedb", None)
    with pytest.raises(ImportError, match=r"pip install 'hf-fashion\[gallery\]'"):
        Gallery.create(tmp_path / "gallery", SPACES)


def test_a_version_that_another_process_removed_is_not_missed(tmp_path):
    filled(tmp_path / "gallery")
    reader = LanceStore.open(str(tmp_path / "gallery"))
    writer = Gallery.open(tmp_path / "gallery")
    writer.add(ids(1, first=40), vectors(1), metadata(1))
    writer.compact()
    assert set(reader.read(["id"], Comparison("price", "<", 1.0))["id"].to_pylist()) == {"p000", "p040"}
    reader.delete(["p000"])
    assert len(writer) == 40


def test_many_small_commits_are_joined(tmp_path, monkeypatch):
    monkeypatch.setattr(lance_store, "MAX_FRAGMENTS", 4)
    gallery = Gallery.create(tmp_path / "gallery", SPACES)
    for number in range(11):
        gallery.add(ids(1, first=number), vectors(1, seed=number))
        fragments = gallery._store._table.stats()["fragment_stats"]["num_fragments"]
        assert fragments <= 4
    assert sorted(gallery.ids()) == ids(11)


def test_a_gallery_whose_making_was_interrupted_is_made_anew(tmp_path):
    Gallery.create(tmp_path / "gallery", SPACES)
    shutil.rmtree(tmp_path / "gallery" / "gallery.lance" / "_versions")
    with pytest.raises(FileNotFoundError):
        Gallery.open(tmp_path / "gallery")
    assert len(Gallery.create(tmp_path / "gallery", SPACES)) == 0


def test_attachments_are_kept_beside_the_table(tmp_path):
    schema = GallerySchema(SPACES, pa.schema([]), "").to_table()
    attachments = {"axes of 'image'": bytes(range(256)), "empty": b""}
    LanceStore.create(str(tmp_path / "with"), schema, attachments)
    LanceStore.create(str(tmp_path / "without"), schema)
    assert LanceStore.open(str(tmp_path / "with")).attachments() == attachments
    assert LanceStore.open(str(tmp_path / "without")).attachments() == {}
    assert len(Gallery.open(tmp_path / "with")) == 0


def test_attachments_of_an_interrupted_creation_are_replaced(tmp_path):
    schema = GallerySchema(SPACES, pa.schema([]), "").to_table()
    LanceStore.create(str(tmp_path), schema, {"axes": b"old"})
    shutil.rmtree(tmp_path / "gallery.lance")  # as a kill between both tables leaves it
    with pytest.raises(FileNotFoundError, match="there is no gallery"):
        LanceStore.open(str(tmp_path))
    LanceStore.create(str(tmp_path), schema, {"axes": b"new"})
    assert LanceStore.open(str(tmp_path)).attachments() == {"axes": b"new"}


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


def test_a_gallery_that_was_made_anew_is_not_taken_for_the_old_one(tmp_path):
    old = filled(tmp_path / "gallery")
    old.search(vectors(1)["neckline"], "neckline", 5)
    shutil.rmtree(tmp_path / "gallery")
    filled(tmp_path / "gallery", axes=3)
    with pytest.raises(OSError, match="was deleted and created again meanwhile; open it again"):
        old.search(vectors(1)["neckline"], "neckline", 5)


def test_a_creation_that_was_overtaken_leaves_the_other_gallery(tmp_path, monkeypatch):
    schema = GallerySchema(SPACES, pa.schema([]), "").to_table()
    LanceStore.create(str(tmp_path), schema)

    def not_yet(_):
        raise FileNotFoundError

    monkeypatch.setattr(LanceStore, "open", not_yet)
    with pytest.raises(FileExistsError, match="another process has made the gallery"):
        LanceStore.create(str(tmp_path), schema)


def test_products_are_in_though_there_was_no_room_to_compact(tmp_path, monkeypatch):
    gallery = filled(tmp_path / "gallery")
    monkeypatch.setattr(lance_store, "MAX_FRAGMENTS", 1)

    def full():
        raise OSError("no room")

    monkeypatch.setattr(gallery._store, "compact", full)
    with pytest.warns(UserWarning, match="the products were added, but not compacted: no room"):
        gallery.add(ids(1, first=50), vectors(1), metadata(1))
    assert len(gallery) == 41


def test_a_broken_index_does_not_cost_the_gallery():
    text = "lance error: Not found: gallery.lance/_indices/1234/index.idx, object_store.rs:600"
    assert "Build it again with `build_index`" in str(failure("gallery", RuntimeError(text)))
