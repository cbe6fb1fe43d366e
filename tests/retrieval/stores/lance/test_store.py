"""Galleries in LanceDB: damage is noticed, small files are joined, interrupted creations are replaced."""

import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pyarrow as pa
import pytest
import torch

from hf_fashion.retrieval.gallery import Gallery
from hf_fashion.retrieval.schema import GallerySchema
from hf_fashion.retrieval.stores.conditions.tree import Comparison
from hf_fashion.retrieval.stores.lance import store as store_module
from hf_fashion.retrieval.stores.lance import upkeep
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
    with pytest.raises(OSError, match=r"is damaged: .*restore them from a backup"):
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


def test_attachments_that_are_damaged_are_not_taken_for_none(tmp_path):
    LanceStore.create(str(tmp_path), GallerySchema(SPACES, pa.schema([]), "").to_table(), {"axes": b"1"})
    store = LanceStore.open(str(tmp_path))
    shutil.rmtree(next(tmp_path.glob("attachments_*.lance")) / "_versions")
    with pytest.raises(OSError, match="is damaged: there are data, but no version of the table"):
        store.attachments()


def test_a_version_that_another_process_removed_is_not_missed(tmp_path):
    filled(tmp_path / "gallery")
    reader = LanceStore.open(str(tmp_path / "gallery"))
    writer = Gallery.open(tmp_path / "gallery")
    writer.add(ids(1, first=40), vectors(1), metadata(1))
    writer.compact()
    assert set(reader.read(["id"], Comparison("price", "<", 1.0))["id"].to_pylist()) == {"p000", "p040"}
    reader.delete(["p000"])
    assert len(writer) == 40


def test_a_gallery_whose_creation_was_interrupted_is_created_again(tmp_path):
    Gallery.create(tmp_path / "gallery", SPACES)
    shutil.rmtree(tmp_path / "gallery" / "gallery.lance" / "_versions")
    with pytest.raises(FileNotFoundError):
        Gallery.open(tmp_path / "gallery")
    assert len(Gallery.create(tmp_path / "gallery", SPACES)) == 0


def test_attachments_are_kept_next_to_the_table(tmp_path):
    schema = GallerySchema(SPACES, pa.schema([]), "").to_table()
    attachments = {"axes of 'image'": bytes(range(256)), "empty": b""}
    LanceStore.create(str(tmp_path / "with"), schema, attachments)
    LanceStore.create(str(tmp_path / "without"), schema)
    assert LanceStore.open(str(tmp_path / "with")).attachments() == attachments
    assert LanceStore.open(str(tmp_path / "without")).attachments() == {}
    assert len(Gallery.open(tmp_path / "with")) == 0


def test_attachments_of_an_interrupted_creation_are_removed_by_the_next(tmp_path):
    schema = GallerySchema(SPACES, pa.schema([]), "").to_table()
    LanceStore.create(str(tmp_path), schema, {"axes": b"old"})
    shutil.rmtree(tmp_path / "gallery.lance")  # as a kill between both tables leaves it
    with pytest.raises(FileNotFoundError, match="there is no gallery"):
        LanceStore.open(str(tmp_path))
    LanceStore.create(str(tmp_path), schema, {"axes": b"new"})
    assert LanceStore.open(str(tmp_path)).attachments() == {"axes": b"new"}
    assert len(list(tmp_path.glob("*.lance"))) == 2


def test_of_creations_at_once_one_wins_with_its_own_attachments(tmp_path):
    schema = GallerySchema(SPACES, pa.schema([]), "").to_table()

    def create(place: Path, number: int) -> int:
        own = {b"number": bytes([number])}
        try:
            LanceStore.create(str(place), schema.with_metadata(schema.metadata | own), {"axes": bytes([number])})
        except FileExistsError:
            return 0
        return 1

    for race in range(10):
        place = tmp_path / str(race)
        with ThreadPoolExecutor(4) as pool:
            assert sum(pool.map(create, [place] * 4, range(4))) == 1
        store = LanceStore.open(str(place))
        assert store.attachments() == {"axes": store.schema.metadata[b"number"]}
        assert len(list(place.glob("*.lance"))) == 2


def test_a_gallery_that_was_created_again_is_not_taken_for_the_old_one(tmp_path):
    old = filled(tmp_path / "gallery")
    old.search(vectors(1)["neckline"], "neckline", 5)
    shutil.rmtree(tmp_path / "gallery")
    filled(tmp_path / "gallery", axes=3)
    with pytest.raises(OSError, match="was deleted and created again meanwhile; open it again"):
        old.search(vectors(1)["neckline"], "neckline", 5)


def test_products_are_added_where_there_is_no_room_to_compact(tmp_path, monkeypatch):
    gallery = filled(tmp_path / "gallery")
    monkeypatch.setattr(upkeep, "FEW", 1)

    def full():
        raise OSError("no room")

    monkeypatch.setattr(gallery._store, "_compact", full)
    with pytest.warns(UserWarning, match="the products were changed, but not compacted: no room"):
        gallery.add(ids(1, first=50), vectors(1), metadata(1))
    assert len(gallery) == 41


def doubled(place: Path) -> Gallery:
    """A gallery as two writers of an earlier version leave it: five ids twice, the later ones with other prices."""
    gallery = filled(place, 20)
    changed = metadata(5) | {"price": [99.0] * 5}
    rows = gallery.schema.rows(ids(5), vectors(5, seed=1), changed, gallery._spaces)
    gallery._store._table.add(rows)
    return gallery


def test_ids_that_come_twice_are_found_and_made_single(tmp_path):
    doubled(tmp_path / "gallery")
    with pytest.raises(OSError, match=r"has 5 ids more than once, such as 'p00\d'.*Gallery.repair.*hf-fashion repair"):
        Gallery.open(tmp_path / "gallery")
    assert Gallery.repair(tmp_path / "gallery") == 5
    gallery = Gallery.open(tmp_path / "gallery")
    assert sorted(gallery.ids()) == ids(20)
    prices = {row["id"]: row["price"] for row in gallery.products().to_pylist()}
    assert prices == {name: 99.0 if name in ids(5) else float(number) for number, name in enumerate(ids(20))}
    assert Gallery.repair(tmp_path / "gallery") == 0


def test_more_doubles_than_one_condition_names_are_all_removed(tmp_path, monkeypatch):
    """As many as make the table tidy itself, which gives its rows other numbers."""
    monkeypatch.setattr(store_module, "MAX_ROWS_NAMED", 1000)
    gallery = Gallery.create(tmp_path / "gallery", SPACES, pa.schema([("copy", pa.int64())]))
    for copy in range(3):
        rows = gallery.schema.rows(ids(1200), vectors(1200), {"copy": [copy] * 1200}, gallery._spaces)
        gallery._store._table.add(rows)
    before = gallery.info()["storage"]["versions"]
    assert Gallery.repair(tmp_path / "gallery") == 2400
    gallery = Gallery.open(tmp_path / "gallery")
    assert len(gallery) == 1200 and set(gallery.products()["copy"].to_pylist()) == {2}
    assert gallery.info()["storage"]["versions"] < before


def test_updated_metadata_are_found_by_filters_and_vectors_by_the_index(tmp_path, monkeypatch):
    monkeypatch.setattr("hf_fashion.retrieval.search.EXACT_SEARCH_LIMIT", 10)
    gallery = filled(tmp_path / "gallery", 600)
    gallery.build_index("IVF_HNSW_SQ")
    known = gallery.vectors(ids(600), "neckline")
    halved = {**metadata(600), "price": [number / 2 for number in range(600)]}
    gallery.update(ids(300, first=100), {name: values[100:400] for name, values in halved.items()})
    filters = [("price = 51", {"p051", "p102"}), ("price >= 199.5 AND price < 201", {"p399"}), ("price > 400", None)]
    for text, wanted in filters:
        found = set(gallery.search(known[:1], "neckline", 600, text).ids[0])
        assert found == (wanted if wanted is not None else set(ids(199, first=401)))
    assert torch.equal(gallery.vectors(ids(600), "neckline"), known)
    assert gallery.search(known[200:201], "neckline", 1).ids == (("p200",),)
