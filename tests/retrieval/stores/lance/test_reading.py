"""Nothing is called damaged before it was read again; a lost newest version is not passed over."""

import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from hf_fashion.retrieval import search as gallery_search
from hf_fashion.retrieval.gallery import Gallery
from hf_fashion.retrieval.stores.lance import reading
from hf_fashion.retrieval.stores.lance.reading import open_newest
from tests.retrieval.galleries import filled, ids, metadata, vectors


def lose_newest_version(folder: Path) -> None:
    min((folder / "gallery.lance" / "_versions").glob("*.manifest")).unlink()  # LanceDB counts down in their names


def test_a_lost_newest_version_is_refused(tmp_path):
    gallery = filled(tmp_path / "gallery")
    gallery.delete(["p000"])
    lose_newest_version(tmp_path / "gallery")
    message = r"has lost its newest version, 3: .* left is version 2\. Restore .* backup.* rename latest_version"
    with pytest.raises(OSError, match=message):
        Gallery.open(tmp_path / "gallery")
    note = tmp_path / "gallery" / "gallery.lance" / "_versions" / "latest_version_hint.json"
    note.rename(tmp_path / "aside")
    assert len(Gallery.open(tmp_path / "gallery")) == 40


def test_a_note_behind_the_newest_version_is_what_a_kill_leaves(tmp_path):
    gallery = filled(tmp_path / "gallery")
    note = tmp_path / "gallery" / "gallery.lance" / "_versions" / "latest_version_hint.json"
    before = note.read_bytes()
    gallery.delete(["p000"])
    note.write_bytes(before)
    assert len(Gallery.open(tmp_path / "gallery")) == len(gallery) == 39


def test_the_note_of_a_gallery_that_was_replaced_is_read_again(tmp_path, monkeypatch):
    filled(tmp_path / "gallery")
    notes = iter([99, 2])
    monkeypatch.setattr(reading, "newest_version", lambda *_: next(notes))
    assert open_newest(str(tmp_path / "gallery")).version == 2


def test_a_gallery_that_was_deleted_while_it_is_open_is_named(tmp_path):
    gallery = filled(tmp_path / "gallery")
    shutil.rmtree(tmp_path / "gallery")
    with pytest.raises(OSError, match="is not there any more: another process has deleted or moved it") as error:
        gallery.ids()
    assert "damaged" not in str(error.value)


def test_a_gallery_that_is_away_for_a_moment_is_found(tmp_path, monkeypatch):
    gallery = filled(tmp_path / "gallery")
    (tmp_path / "gallery").rename(tmp_path / "aside")
    waits = iter([lambda: None, lambda: (tmp_path / "aside").rename(tmp_path / "gallery")])
    monkeypatch.setattr(reading.time, "sleep", lambda _: next(waits)())
    assert len(gallery) == 40


@pytest.mark.parametrize("in_memory", [True, False])
def test_readers_next_to_compactions_see_no_damage(tmp_path, monkeypatch, in_memory):
    monkeypatch.setattr(gallery_search, "EXACT_SEARCH_LIMIT", 1000 if in_memory else 0)
    writer = filled(tmp_path / "gallery", 200)
    query = vectors(1)["neckline"]
    done = []

    def read() -> int:
        reader, searches = Gallery.open(tmp_path / "gallery"), 0
        while not done or searches < 5:
            assert len(reader.search(query, "neckline", 5, "price >= 0").ids[0]) == 5
            assert reader._store.storage()["fragments"] >= 1 and len(reader) == 200
            assert len(Gallery.open(tmp_path / "gallery").ids()) == 200
            searches += 1
        return searches

    with ThreadPoolExecutor(3) as pool:
        readers = [pool.submit(read) for _ in range(3)]
        for number in range(40):
            writer.add(ids(1, first=number), vectors(1, seed=number), metadata(1))
            writer.compact()
        done.append(True)
        assert min(reader.result() for reader in readers) >= 5
