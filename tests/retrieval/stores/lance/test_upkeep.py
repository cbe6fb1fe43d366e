"""A table is tidied by itself: few parts, few versions, and not many times the bytes of its rows."""

from pathlib import Path

import pytest
import torch

from hf_fashion.files import folder_bytes
from hf_fashion.retrieval.gallery import Gallery
from hf_fashion.retrieval.stores.lance import upkeep
from tests.retrieval.galleries import SPACES, filled, ids, metadata, vectors


def number_of_files(folder: Path) -> int:
    return sum(path.is_file() for path in folder.rglob("*"))


def test_many_small_commits_are_joined(tmp_path, monkeypatch):
    monkeypatch.setattr(upkeep, "FEW", 4)
    gallery = Gallery.create(tmp_path / "gallery", SPACES)
    for number in range(11):
        gallery.add(ids(1, first=number), vectors(1, seed=number))
        assert gallery._store.storage()["fragments"] <= 4
    assert sorted(gallery.ids()) == ids(11)


def test_refreshes_do_not_grow(tmp_path):
    gallery = filled(tmp_path / "gallery", 300)
    gallery.compact()
    before = folder_bytes(tmp_path)
    for seed in range(60):
        gallery.add(ids(300), vectors(300, seed), metadata(300))
        assert folder_bytes(tmp_path) < 6 * before
    assert gallery._store.storage()["versions"] < 10


def test_deletes_are_joined_and_leave_few_files(tmp_path):
    gallery = filled(tmp_path / "gallery", 300)
    for product_id in ids(150):
        gallery.delete([product_id])
        assert number_of_files(tmp_path) < 4 * upkeep.FEW + 20
    assert gallery._store.storage()["versions"] <= upkeep.FEW + 4
    assert sorted(gallery.ids()) == ids(300)[150:]


def test_pairs_of_add_and_delete_leave_few_files(tmp_path):
    gallery = filled(tmp_path / "gallery")
    for number in range(100):
        gallery.add(ids(1, first=500), vectors(1, seed=number), metadata(1))
        gallery.delete(ids(1, first=500))
        assert number_of_files(tmp_path) < 4 * upkeep.FEW + 20
    assert sorted(gallery.ids()) == ids(40)


def test_changes_of_many_processes_are_tidied_too(tmp_path):
    """Each opens the gallery, makes one change and ends, so that none of them counts many."""
    filled(tmp_path / "gallery")
    for number in range(80):
        Gallery.open(tmp_path / "gallery").delete(ids(1, first=number))
    assert Gallery.open(tmp_path / "gallery")._store.storage()["versions"] <= upkeep.FEW + 4


@pytest.mark.parametrize(("rows", "most"), [(10, 4), (3000, 7), (10**6, 20)])
def test_a_large_table_is_tidied_less_often(monkeypatch, rows, most):
    monkeypatch.setattr(upkeep, "FEW", 4)
    monkeypatch.setattr(upkeep, "MANY", 20)
    table = FakeTable(rows)
    assert next(parts for parts in range(30) if upkeep.is_due(table.with_parts(parts), 0)) == most + 1


class FakeTable:
    """What is asked of LanceDB's table; a million rows take too long to make."""

    version = 10**9 + 7

    def __init__(self, rows: int):
        self.rows = rows

    def with_parts(self, parts: int) -> "FakeTable":
        self.parts = parts
        return self

    def stats(self) -> dict:
        return {"num_rows": self.rows, "fragment_stats": {"num_fragments": self.parts}}

    def list_indices(self) -> list:
        return []


def test_storage_is_that_of_the_folder(tmp_path):
    gallery = filled(tmp_path / "gallery", axes=3)
    gallery.delete(["p000"])
    found = gallery._store.storage()
    assert found == {"bytes": folder_bytes(tmp_path / "gallery"), "versions": 3, "fragments": 1}
    gallery.add(ids(1), {space: torch.ones(1, width) for space, width in SPACES.items()}, metadata(1))
    assert gallery._store.storage()["fragments"] == 2
    gallery.compact()
    assert {"versions": 1, "fragments": 1}.items() <= gallery._store.storage().items()
