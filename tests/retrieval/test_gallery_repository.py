"""A gallery saved as a repository of `datasets`, and loaded: nothing is lost, and nothing half comes of it."""

import datetime
import json
import os
import re
import shutil
import stat
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import torch
from datasets import List, Value, load_dataset

from hf_fashion.retrieval.gallery import Gallery
from hf_fashion.retrieval.repository import load as load_gallery
from hf_fashion.retrieval.repository import save as save_gallery
from hf_fashion.retrieval.repository.columns import vector_columns
from hf_fashion.retrieval.schema import GallerySchema
from hf_fashion.retrieval.stores.lance.store import LanceStore
from tests.retrieval import galleries
from tests.retrieval.galleries import ids


COUNT = 23
SPACES = {"image": 8, "sleeve length": 5}
METADATA = pa.schema(
    [
        ("brand", pa.string()),
        ("sizes", pa.list_(pa.string())),
        ("sub-category", pa.large_string()),
        ("price", pa.float32()),
        ("stock", pa.uint8()),
        ("sold", pa.bool_()),
        ("added", pa.timestamp("s", "Europe/Berlin")),  # parquet has no seconds
        ("day", pa.date32()),
        ("scores", pa.list_(pa.float16())),
    ]
)
ATTACHMENTS = {"axes of 'image'": bytes(range(256)), "empty": b""}
DAY = datetime.date(2026, 2, 28)


@pytest.fixture(autouse=True)
def small_parts(monkeypatch):
    monkeypatch.setattr(save_gallery, "SHARD_ROWS", 10)
    monkeypatch.setattr(save_gallery, "BLOCK_ROWS", 4)
    monkeypatch.setattr(load_gallery, "BATCH_ROWS", 4)


def made(uri, names: list[str], attachments=None, fingerprint="Model-1", metadata: pa.Schema = METADATA) -> Gallery:
    """A gallery whose products are made of their ids, every third without metadata."""
    schema = GallerySchema(SPACES, metadata, fingerprint)
    gallery = Gallery(LanceStore.create(str(uri), schema.to_table(), attachments))
    numbers = [int(name.removeprefix("p")) for name in names]
    values = {
        "brand": "Lumaro's „Größe“",
        "sizes": ["S", None, "XL"],
        "sub-category": "coat",
        "price": 0.1,
        "stock": 255,
        "sold": False,
        "added": datetime.datetime(2026, 2, 28, 23, 59, 59),
        "day": DAY,
        "scores": [0.5, None],
    }
    vectors = {space: [torch.sin(torch.arange(1, d + 1) * (n + 1)) for n in numbers] for space, d in SPACES.items()}
    gallery.add(
        names,
        {space: torch.stack(rows) for space, rows in vectors.items()},
        {name: [None if number % 3 == 0 else values[name] for number in numbers] for name in metadata.names},
    )
    return gallery


def rows(gallery: Gallery) -> pa.Table:
    """All that the store keeps, by id."""
    return gallery._store.read(gallery._store.schema.names).sort_by("id")


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def gallery(tmp_path_factory) -> Gallery:
    return made(tmp_path_factory.mktemp("gallery") / "gallery", ids(COUNT), ATTACHMENTS)


@pytest.fixture
def saved(gallery, tmp_path) -> Path:
    gallery.save_pretrained(tmp_path / "saved")
    return tmp_path / "saved"


def test_what_is_loaded_is_what_was_saved(gallery, saved, tmp_path):
    loaded = Gallery.from_pretrained(saved, uri=tmp_path / "loaded")
    assert rows(loaded).equals(rows(gallery))
    assert loaded._store.schema.equals(gallery._store.schema, check_metadata=True)
    assert loaded._store.attachments() == ATTACHMENTS
    assert loaded.schema == gallery.schema


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


def test_datasets_reads_the_columns(gallery, saved):
    products = load_dataset(str(saved), split="train")
    assert products["id"][:] == ids(COUNT)
    assert products.features["image_embeds"] == List(Value("float16"), length=8)
    assert products.column_names == ["id", *METADATA.names, "image_embeds", "sleeve_length_embeds"]
    stored = rows(gallery)["vector_1"].combine_chunks().flatten().to_numpy()
    read = products.with_format("arrow")[:]["sleeve_length_embeds"].combine_chunks().flatten().to_numpy()
    np.testing.assert_array_equal(read.view(np.uint16), stored.view(np.uint16))
    assert products[1]["sizes"] == ["S", None, "XL"] and products[1]["day"] == DAY
    assert products[0]["sizes"] is None and products[0]["day"] is None


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


def test_the_code_of_the_card_runs(saved, monkeypatch, capsys):
    monkeypatch.chdir(saved.parent)
    card = (saved / "README.md").read_text(encoding="utf-8")
    for block in re.findall(r"^```python\n(.*?)^```", card, re.MULTILINE | re.DOTALL):
        exec(compile(block, "README.md", "exec"), {})
    printed = capsys.readouterr().out
    assert "('p001', 1.0)" in printed and "{'id': ['p000', 'p001'], 'image_embeds': tensor" in printed
    assert "| products | 23 |" in card and "`Model-1`" in card


@pytest.mark.parametrize(
    ("spaces", "metadata", "columns"),
    [
        (["image"], [], ["image_embeds"]),
        (["image"], ["Image_Embeds"], ["image_embeds_2"]),
        (
            ["sleeve length", "sleeve_length", "Sleeve Length"],
            [],
            ["sleeve_length_embeds", "sleeve_length_embeds_2", "Sleeve_Length_embeds_3"],
        ),
        (["ärmel/länge (cm)", "!"], [], ["ärmel_länge_cm_embeds", "space_embeds"]),
    ],
)
def test_columns_of_vectors_have_readable_names(spaces, metadata, columns):
    schema = GallerySchema(dict.fromkeys(spaces, 2), pa.schema([(name, pa.string()) for name in metadata]), "")
    assert vector_columns(schema) == dict(zip(spaces, columns, strict=True))


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


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"fingerprint": "Model-2"}, r"was embedded by Model-2, the one in .*saved by Model-1: their vectors cannot"),
        ({"metadata": METADATA.remove(1)}, "has the metadata columns"),
        ({"attachments": {**ATTACHMENTS, "empty": b"x"}}, "keeps its vectors in another way"),
    ],
)
def test_a_gallery_that_is_another_is_not_added_to(saved, tmp_path, changes, message):
    other = made(tmp_path / "other", ["p900"], **({"attachments": ATTACHMENTS} | changes))
    with pytest.raises(ValueError, match=message):
        Gallery.from_pretrained(saved, uri=tmp_path / "other")
    assert other.ids() == ["p900"]


def cut_off(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-100])


def edited(folder: Path, change) -> None:
    written = json.loads((folder / "gallery.json").read_text())
    change(written)
    (folder / "gallery.json").write_text(json.dumps(written))


SHARD = "data/train-00001-of-00003.parquet"


@pytest.mark.parametrize(
    ("damage", "error", "message"),
    [
        (lambda at: (at / SHARD).unlink(), FileNotFoundError, f"{SHARD} is missing"),
        (lambda at: cut_off(at / SHARD), OSError, f"{SHARD} is damaged: its content is not what gallery.json says"),
        (lambda at: shutil.copy(at / SHARD.replace("1", "0", 1), at / SHARD), OSError, f"{SHARD} is damaged"),
        (lambda at: cut_off(at / "attachments.safetensors"), OSError, "attachments.safetensors is damaged"),
        (lambda at: cut_off(at / "gallery.json"), OSError, "gallery.json is damaged: JSONDecodeError"),
        (lambda at: edited(at, lambda it: it.pop("table")), OSError, "gallery.json is damaged: KeyError: 'table'"),
        (lambda at: edited(at, lambda it: it["columns"].clear()), OSError, "gallery.json is damaged: KeyError"),
        (
            lambda at: edited(at, lambda it: it["files"].update({"../other.parquet": {"rows": 1, "sha256": ""}})),
            OSError,
            r"gallery.json is damaged: it names '../other.parquet', which is no file of a gallery",
        ),
        (
            lambda at: edited(at, lambda it: it.update(format=2)),
            ValueError,
            "gallery.json must be of format 1, got format 2; upgrade hf_fashion",
        ),
        (
            lambda at: edited(at, lambda it: it["table"]["hf_fashion.gallery"].update(format=99)),
            ValueError,
            r"gallery.json: the table must be a gallery of format \d+, got format 99; upgrade hf_fashion",
        ),
        (
            lambda at: (at / "gallery.json").unlink(),
            FileNotFoundError,
            r"has no gallery.json: it is not a saved gallery\..*`Gallery.from_dataset` makes a gallery of a dataset",
        ),
    ],
)
def test_damage_is_named_before_anything_is_written(saved, tmp_path, damage, error, message):
    damage(saved)
    with pytest.raises(error, match=message):
        Gallery.from_pretrained(saved, uri=tmp_path / "loaded")
    assert not (tmp_path / "loaded").exists()


def test_a_source_that_is_nowhere_is_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match="must be the folder of a saved gallery or the id of one on the Hub"):
        Gallery.from_pretrained(tmp_path / "nowhere", uri=tmp_path / "loaded")


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
    assert stat.S_IMODE(os.stat(saved).st_mode) == stat.S_IMODE(os.stat(tmp_path / "any").st_mode)
