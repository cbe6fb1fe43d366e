"""A gallery saved as a repository of `datasets`: the same files for the same products, whole or not at all."""

import stat

import pyarrow as pa
import pytest
import torch

from hf_fashion.retrieval.gallery import Gallery
from hf_fashion.retrieval.stores.lance.store import LanceStore
from tests.retrieval import galleries
from tests.retrieval.galleries import ids
from tests.retrieval.repository.saved_galleries import ATTACHMENTS, COUNT, METADATA, SPACES, files, made, rows


def test_the_same_products_give_the_same_files(gallery, saved, tmp_path):
    other = made(tmp_path / "gallery", ids(9, first=14)[::-1], ATTACHMENTS)
    other._store.upsert(rows(gallery))
    other.save_pretrained(tmp_path / "again" / "saved")
    assert files(saved) == files(tmp_path / "again" / "saved")
    assert sorted(files(saved)) == [
        "README.md",
        "attachments.safetensors",
        "data/train-00000-of-00003.parquet",
        "data/train-00001-of-00003.parquet",
        "data/train-00002-of-00003.parquet",
        "gallery.json",
    ]


def test_axes_are_saved_with_the_vectors_along_them(tmp_path):
    gallery = galleries.filled(tmp_path / "gallery", axes=3)
    gallery.save_pretrained(tmp_path / "saved")
    loaded = Gallery.from_pretrained(tmp_path / "saved", uri=tmp_path / "loaded")
    assert loaded.info()["stored_dimensions"] == dict.fromkeys(galleries.SPACES, 3)
    for space in galleries.SPACES:
        assert torch.equal(loaded.vectors(ids(40), space), gallery.vectors(ids(40), space))
    card = (tmp_path / "saved" / "README.md").read_text()
    assert "`neckline` (of 8 dimensions 3, along axes in `attachments.safetensors`, column `neckline_embeds`)" in card


def test_an_empty_gallery_is_a_gallery(tmp_path):
    Gallery.create(tmp_path / "empty", SPACES, METADATA).save_pretrained(tmp_path / "saved")
    loaded = Gallery.from_pretrained(tmp_path / "saved", uri=tmp_path / "loaded")
    assert len(loaded) == 0 and loaded.schema.metadata == METADATA


def test_an_existing_folder_is_left_as_it_is(gallery, tmp_path):
    (tmp_path / "mine").mkdir()
    with pytest.raises(FileExistsError, match=r"there is something at .*mine already; delete it, or save"):
        gallery.save_pretrained(tmp_path / "mine")
    assert list(tmp_path.rglob("*")) == [tmp_path / "mine"]


def test_a_save_that_fails_leaves_nothing(tmp_path, monkeypatch):
    gallery = made(tmp_path / "gallery", ids(COUNT))
    writer = Gallery.open(tmp_path / "gallery")
    read = LanceStore.read

    def read_while_another_writes(store, columns, filter=None, ids=None):
        found = read(store, columns, filter, ids)
        if ids is not None and "p020" in ids:
            writer.delete(["p000"])
        return found

    monkeypatch.setattr(LanceStore, "read", read_while_another_writes)
    with pytest.raises(RuntimeError, match=r"was changed while it was being saved\. Save it again"):
        gallery.save_pretrained(tmp_path / "work" / "saved")
    assert list((tmp_path / "work").iterdir()) == []


def test_types_that_datasets_cannot_keep_are_named(tmp_path):
    kind = pa.dictionary(pa.int32(), pa.string())
    gallery = Gallery.create(tmp_path / "gallery", SPACES, pa.schema([("brand", kind)]))
    with pytest.raises(ValueError, match=r"metadata column 'brand' is of type dictionary.*make a gallery with these"):
        gallery.save_pretrained(tmp_path / "saved")
    assert not (tmp_path / "saved").exists()


def test_others_may_read_what_was_saved(saved, tmp_path):
    (tmp_path / "any").mkdir()
    (tmp_path / "any" / "file").touch()
    modes = {
        path.is_dir(): stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "any", tmp_path / "any" / "file")
    }
    for path in (saved, *saved.rglob("*")):
        assert stat.S_IMODE(path.stat().st_mode) == modes[path.is_dir()], path
