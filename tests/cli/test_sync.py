"""`hf-fashion sync`: what it did, what it would do."""

import pytest

from hf_fashion.cli.main import main
from hf_fashion.retrieval.gallery import Gallery
from tests.data.corpora import jpeg


@pytest.fixture
def shop(folder, tmp_path) -> list[str]:
    """Arguments of the commands, for a feed of four products in a gallery."""
    for number in range(6):
        (tmp_path / f"{number}.jpg").write_bytes(jpeg(number))
    write_feed(tmp_path, [("1", 0, 10), ("2", 1, 20), ("3", 2, 30), ("4", 3, 40)])
    places = ["--model", str(folder / "e2"), "--gallery", str(tmp_path / "gallery"), "--device", "cpu"]
    arguments = [*places, "--corpus", str(tmp_path / "feed.csv"), "--id_column", "sku", "--image_column", "photo"]
    assert main(["embed", *arguments, "--metadata_columns", "price"]) == 0
    return arguments


def write_feed(folder, rows) -> None:
    lines = [f"{sku},{photo}.jpg,{price}" for sku, photo, price in rows]
    (folder / "feed.csv").write_text("\n".join(["sku,photo,price", *lines, ""]))


def test_a_gallery_follows_its_feed(shop, tmp_path, capsys):
    write_feed(tmp_path, [("1", 0, 10), ("2", 1, 25), ("3", 4, 30), ("5", 5, 50)])
    capsys.readouterr()
    did = "1 added, 1 embedded again because the photo is another one, 1 given new metadata, 1 deleted, 1 unchanged"
    assert main(["sync", *shop, "--delete_missing", "--dry_run"]) == 0
    first, *details, count = capsys.readouterr().out.splitlines()
    assert first == f"nothing was changed; without `dry_run`: {did}"
    assert "deleted:" in details and "    4" in details and count.startswith("4 products in")
    assert main(["sync", *shop, "--delete_missing"]) == 0
    first, *named, count = capsys.readouterr().out.splitlines()
    assert (first, named, count) == (did, details, f"4 products in {tmp_path / 'gallery'}")
    prices = {row["id"]: row["price"] for row in Gallery.open(tmp_path / "gallery").products().to_pylist()}
    assert prices == {"1": 10, "2": 25, "3": 30, "5": 50}


def test_a_gallery_must_be_there(shop, tmp_path, capsys):
    missing = [str(tmp_path / "none") if part == str(tmp_path / "gallery") else part for part in shop]
    assert main(["sync", *missing]) == 2
    assert "there is no gallery at" in capsys.readouterr().err
