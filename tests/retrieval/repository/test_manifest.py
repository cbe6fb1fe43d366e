"""`gallery.json`: read as it was written, and damage is named."""

import json
import shutil
from pathlib import Path

import pytest

from hf_fashion.files import sha256_of
from hf_fashion.retrieval.gallery import Gallery
from hf_fashion.retrieval.repository.manifest import GalleryManifest
from tests.retrieval.repository.saved_galleries import COUNT, METADATA, SPACES


def test_what_is_read_is_what_was_written(saved, tmp_path):
    manifest = GalleryManifest.read(saved)
    assert manifest.schema.spaces == SPACES and manifest.schema.metadata == METADATA
    assert manifest.products == COUNT and list(manifest.shards.values()) == [10, 10, 3]
    assert manifest.file_schema().names[-2:] == ["image_embeds", "sleeve_length_embeds"]
    manifest.write(tmp_path)
    assert (tmp_path / "gallery.json").read_text() == (saved / "gallery.json").read_text()


def cut_off(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-100])


def edited(folder: Path, change) -> None:
    written = json.loads((folder / "gallery.json").read_text())
    change(written)
    (folder / "gallery.json").write_text(json.dumps(written))


def replaced(path: Path, written: dict) -> None:
    """Make a file something else, with its right hash in the manifest."""
    path.write_bytes(b"not parquet")
    written["files"][SHARD]["sha256"] = sha256_of(path)


SHARD = "data/train-00001-of-00003.parquet"


@pytest.mark.parametrize(
    ("damage", "error", "message"),
    [
        (lambda at: (at / SHARD).unlink(), FileNotFoundError, f"{SHARD} is missing"),
        (
            lambda at: cut_off(at / SHARD),
            OSError,
            f"{SHARD} is damaged: its content differs from its hash in gallery.json",
        ),
        (lambda at: shutil.copy(at / SHARD.replace("1", "0", 1), at / SHARD), OSError, f"{SHARD} is damaged"),
        (lambda at: cut_off(at / "attachments.safetensors"), OSError, "attachments.safetensors is damaged"),
        (lambda at: cut_off(at / "gallery.json"), OSError, "gallery.json is damaged: JSONDecodeError"),
        (lambda at: edited(at, lambda it: it.pop("table")), OSError, "gallery.json is damaged: KeyError: 'table'"),
        (lambda at: edited(at, lambda it: it["columns"].clear()), OSError, "gallery.json is damaged: KeyError"),
        (
            lambda at: edited(at, lambda it: it["columns"].update({space: ["x"] for space in it["columns"]})),
            OSError,
            "gallery.json is damaged: its columns must be names, got",
        ),
        (
            lambda at: edited(at, lambda it: it["files"].update({"../other.parquet": {"rows": 1, "sha256": ""}})),
            OSError,
            r"gallery.json is damaged: it names '../other.parquet', which is not a file of a gallery",
        ),
        (
            lambda at: edited(at, lambda it: it["files"].pop(SHARD)),
            OSError,
            f"gallery.json is damaged: it does not name {SHARD}",
        ),
        (
            lambda at: edited(at, lambda it: it.update(files={})),
            OSError,
            "gallery.json is damaged: it does not name data/train-00000-of-00001.parquet",
        ),
        (
            lambda at: edited(at, lambda it: it.update(products=24)),
            OSError,
            "gallery.json is damaged: it names files of 23 products in all, but says 24",
        ),
        (
            lambda at: edited(at, lambda it: it["files"][SHARD].update(rows="10")),
            OSError,
            "gallery.json is damaged: TypeError",
        ),
        (
            lambda at: edited(at, lambda it: (it["files"][SHARD].update(rows=11), it.update(products=24))),
            OSError,
            f"{SHARD} is damaged: it has 10 products, by gallery.json 11",
        ),
        (lambda at: edited(at, lambda it: replaced(at / SHARD, it)), OSError, f"{SHARD} is damaged: .*arquet"),
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
            r"has no gallery.json: it is not a saved gallery\..*`Gallery.from_dataset` embeds a dataset of photos",
        ),
    ],
)
def test_damage_is_named_before_anything_is_written(saved, tmp_path, damage, error, message):
    damage(saved)
    with pytest.raises(error, match=message):
        Gallery.from_pretrained(saved, uri=tmp_path / "loaded")
    assert not (tmp_path / "loaded").exists()


def test_a_number_of_files_that_a_manifest_only_claims_costs_no_memory(saved):
    def renamed(written: dict) -> None:
        written["files"] = {name.replace("00003", "99999999999"): facts for name, facts in written["files"].items()}

    edited(saved, renamed)
    with pytest.raises(OSError, match=r"it does not name data/train-00003-of-99999999999\.parquet"):
        GalleryManifest.read(saved)
