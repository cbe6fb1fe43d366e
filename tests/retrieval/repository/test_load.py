"""A saved gallery loaded into a gallery: to the last bit, and further after a kill."""

import hashlib
import json
import math
import shutil
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch

from hf_fashion.files import sha256_of, write_json
from hf_fashion.retrieval.gallery import Gallery
from hf_fashion.retrieval.repository.load import SavedGallery
from hf_fashion.retrieval.stores.lance.store import LanceStore
from tests.retrieval.galleries import ids
from tests.retrieval.repository.saved_galleries import ATTACHMENTS, COUNT, METADATA, made, rows


def test_what_is_loaded_is_what_was_saved(gallery, saved, tmp_path):
    loaded = Gallery.from_pretrained(saved, uri=tmp_path / "loaded")
    assert rows(loaded).equals(rows(gallery))
    assert loaded._store.schema.equals(gallery._store.schema, check_metadata=True)
    assert loaded._store.attachments() == ATTACHMENTS
    assert loaded.schema == gallery.schema


def rewritten(folder: Path, column: str, values: pa.Array) -> None:
    """Give a column of the last file other values, as another program may have done that made the whole folder."""
    shard = folder / "data" / "train-00002-of-00003.parquet"
    table = pq.read_table(shard)
    number = table.schema.get_field_index(column)
    pq.write_table(table.set_column(number, table.field(number), values), shard)
    manifest = json.loads((folder / "gallery.json").read_text())
    manifest["files"][f"data/{shard.name}"]["sha256"] = sha256_of(shard)
    write_json(manifest, folder / "gallery.json")


def test_nan_in_a_saved_gallery_is_a_missing_value(saved, tmp_path):
    rewritten(saved, "price", pa.array([0.5, math.nan, None], pa.float32()))
    rewritten(saved, "scores", pa.array([[0.5, math.nan], [], None], pa.list_(pa.float16())))
    loaded = rows(Gallery.from_pretrained(saved, uri=tmp_path / "loaded"))
    assert loaded["price"].to_pylist()[-3:] == [0.5, None, None]
    assert loaded["scores"].to_pylist()[-3:] == [[0.5, None], [], None]


def test_infinite_numbers_in_a_saved_gallery_are_refused(saved, tmp_path):
    rewritten(saved, "price", pa.array([0.5, math.inf, None], pa.float32()))
    with pytest.raises(ValueError, match=r"train-00002-of-00003.parquet: .*must hold finite numbers"):
        Gallery.from_pretrained(saved, uri=tmp_path / "loaded")


class Killed(BaseException):
    pass


def test_a_killed_load_goes_on_with_what_is_missing(gallery, saved, tmp_path, monkeypatch):
    commits = []
    upsert = LanceStore.upsert

    def until_killed(store, added):
        if len(commits) == 3:
            raise Killed
        upsert(store, added)
        commits.append(added["id"].to_pylist())

    def to_the_end(store, added):
        upsert(store, added)
        commits.append(added["id"].to_pylist())

    monkeypatch.setattr(LanceStore, "upsert", until_killed)
    with pytest.raises(Killed):
        Gallery.from_pretrained(saved, uri=tmp_path / "loaded")
    assert len(Gallery.open(tmp_path / "loaded")) == 4 + 4 + 2
    monkeypatch.setattr(LanceStore, "upsert", to_the_end)
    loaded = Gallery.from_pretrained(saved, uri=tmp_path / "loaded")
    assert sorted(name for names in commits for name in names) == ids(COUNT)
    assert rows(loaded).equals(rows(gallery))
    version = loaded.info()["version"]
    assert Gallery.from_pretrained(saved, uri=tmp_path / "loaded").info()["version"] == version


def test_products_that_are_not_as_they_were_saved_are_said_and_stay(tmp_path, caplog):
    def of(uri, prices: dict[str, float], hashes: list[str]) -> Gallery:
        gallery = Gallery.create(uri, {"image": 4}, pa.schema([("price", pa.float64())]))
        gallery.add(list(prices), {"image": torch.eye(4)[: len(prices)]}, {"price": list(prices.values())}, hashes)
        return gallery

    of(tmp_path / "first", {"a": 1.0, "b": 2.0, "c": 3.0, "d": 4.0}, ["1", "2", "3", "4"]).save_pretrained(
        tmp_path / "saved"
    )
    loaded = Gallery.from_pretrained(tmp_path / "saved", uri=tmp_path / "loaded")
    Gallery.from_pretrained(tmp_path / "saved", uri=tmp_path / "loaded")
    assert caplog.text == ""
    of(tmp_path / "second", {"a": 9.0, "c": 3.0, "d": 4.0, "e": 5.0}, ["1", "x", "4", "5"]).save_pretrained(
        tmp_path / "changed"
    )
    Gallery.from_pretrained(tmp_path / "changed", uri=tmp_path / "loaded")
    (warning,) = [record.message for record in caplog.records]
    assert "1 have another photo (such as 'c'), 1 have other metadata (such as 'a'), 1 are not in the saved" in warning
    assert "(such as 'b')" in warning and "`Gallery.delete` them and load again" in warning
    prices = {row["id"]: row["price"] for row in loaded.products().to_pylist()}
    assert prices == {"a": 1.0, "b": 2.0, "c": 3.0, "d": 4.0, "e": 5.0}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"fingerprint": "Model-2"}, r"was embedded by Model-2, the one in .*saved by Model-1: their vectors cannot"),
        ({"metadata": METADATA.remove(1)}, "has the metadata columns"),
        ({"attachments": {**ATTACHMENTS, "empty": b"x"}}, "stores its vectors in another way"),
    ],
)
def test_a_gallery_that_is_another_is_not_added_to(saved, tmp_path, changes, message):
    other = made(tmp_path / "other", ["p900"], **({"attachments": ATTACHMENTS} | changes))
    with pytest.raises(ValueError, match=message):
        Gallery.from_pretrained(saved, uri=tmp_path / "other")
    assert other.ids() == ["p900"]


@pytest.mark.parametrize(
    "damage", [lambda data: data[: len(data) // 2], lambda data: data[:200] + b"\0" * (len(data) - 200)]
)
def test_a_shard_that_is_damaged_under_a_hash_that_fits_is_named(saved, tmp_path, damage):
    folder = tmp_path / "forged"
    shutil.copytree(saved, folder)
    shard, manifest = sorted(folder.rglob("*.parquet"))[-1], folder / "gallery.json"
    before = hashlib.sha256(shard.read_bytes()).hexdigest()
    shard.write_bytes(damage(shard.read_bytes()))
    manifest.write_text(manifest.read_text().replace(before, hashlib.sha256(shard.read_bytes()).hexdigest()))
    with pytest.raises(OSError, match=rf"{shard.name} is damaged: "):
        Gallery.from_pretrained(folder, uri=tmp_path / "loaded")


def test_a_text_that_rows_share_is_in_memory_for_a_few_of_them(saved, tmp_path, monkeypatch):
    monkeypatch.setattr("hf_fashion.retrieval.repository.load.BATCH_BYTES", 2500)
    rewritten(saved, "brand", pa.array(["x" * 1000] * 3))
    sizes = []
    monkeypatch.setattr(SavedGallery, "_cleaned", lambda self, rows, path: sizes.append(len(rows)) or rows)
    loaded = rows(Gallery.from_pretrained(saved, uri=tmp_path / "loaded"))
    assert loaded["brand"].to_pylist()[-3:] == ["x" * 1000] * 3
    assert sizes[-2:] == [2, 1]
