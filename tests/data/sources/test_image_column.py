"""Columns of photos: every way to store them is decoded, and URLs of local files are not fetched."""

import pytest
from datasets import Dataset, Features, Image, LargeList, List, Value

from hf_fashion.data.sources.image_column import (
    decode_images,
    refuse_urls,
    require_own_photos,
    resolve_paths,
    with_plain_lists,
)
from tests.data.corpora import jpeg


URL = "https://shop.example/1.jpg"


@pytest.mark.parametrize("cell", ["0.jpg", jpeg(0), {"bytes": jpeg(0), "path": None}, ["0.jpg", "0.jpg"]])
def test_cells_become_photos(tmp_path, cell, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "0.jpg").write_bytes(jpeg(0))
    photo = decode_images(Dataset.from_dict({"photo": [cell]}), "photo")[0]["photo"]
    assert (photo[0] if isinstance(photo, list) else photo).size == (12, 16)


def test_other_columns_stay():
    dataset = Dataset.from_dict({"photo": [1], "image": [None]})
    assert decode_images(dataset, "photo").features["photo"] == Value("int64")
    assert decode_images(dataset, "picture") is dataset


def test_relative_paths_are_those_of_the_folder(tmp_path):
    dataset = Dataset.from_dict({"photo": ["a.jpg", None, "/b.jpg", URL], "title": ["a", "b", "c", "d"]})
    resolved = resolve_paths(dataset, "photo", tmp_path)
    assert resolved["photo"][:] == [str(tmp_path / "a.jpg"), None, "/b.jpg", URL]
    assert resolved.column_names == ["photo", "title"]
    assert resolve_paths(resolved, "price", tmp_path) is resolved


def test_relative_paths_in_lists_are_too(tmp_path):
    dataset = Dataset.from_dict({"photo": [["a.jpg", URL], None, ["b.jpg"]]})
    expected = [[str(tmp_path / "a.jpg"), URL], None, [str(tmp_path / "b.jpg")]]
    assert resolve_paths(dataset, "photo", tmp_path)["photo"][:] == expected


def test_large_lists_are_lists():
    features = Features({"neck": LargeList(Value("string")), "title": Value("string")})
    dataset = Dataset.from_dict({"neck": [["v"], None], "title": ["a", "b"]}, features=features)
    plain = with_plain_lists(dataset)
    assert plain.features["neck"] == List(Value("string")) and plain[:] == dataset[:]
    assert with_plain_lists(plain) is plain


@pytest.mark.parametrize("url", [URL, "hf://datasets/a/b/1.jpg", "zip://1.jpg::https://shop.example/all.zip"])
@pytest.mark.parametrize("views", [False, True])
def test_urls_are_named_and_not_fetched(url, views):
    cells = [{"bytes": jpeg(0), "path": URL}, {"bytes": None, "path": url}]
    features = {"cells": [[cell] for cell in cells] if views else cells, "source_row": ["train[7]", "train[9]"]}
    dataset = Dataset.from_dict(features).cast_column("cells", List(Image()) if views else Image())
    with pytest.raises(ValueError, match=r"train\[9\]: '.*' in column 'cells' is a URL\. Photos are not downloaded"):
        refuse_urls(dataset, "cells")
    refuse_urls(dataset.select([0]), "cells")
    refuse_urls(dataset, "title")


@pytest.mark.parametrize(
    "path",
    [
        "/etc/passwd",
        "http://127.0.0.1/1.jpg",
        "hf://datasets/others/photos/1.jpg",
        "zip://1.jpg::https://a.b/c.zip",
        "http://127.0.0.1/1.jpg::hf://datasets/shop/photos/1.zip",
    ],
)
def test_a_dataset_of_the_hub_names_no_photos_but_its_own(path, tmp_path, monkeypatch):
    monkeypatch.setattr("datasets.config.HF_DATASETS_CACHE", tmp_path)
    own = [
        str(tmp_path / "1.jpg"),
        "hf://datasets/shop/photos@main/2.jpg",
        "zip://3.jpg::hf://datasets/shop/photos/3.zip",
    ]
    rows = Dataset.from_dict({"image": own}).cast_column("image", Image())
    require_own_photos(rows, "image", "shop/photos")
    require_own_photos(rows, "another column", "shop/photos")
    rows = Dataset.from_dict({"image": [*own, path]}).cast_column("image", Image())
    with pytest.raises(ValueError, match=r"the dataset 'shop/photos' names a photo .* which is no file of it"):
        require_own_photos(rows, "image", "shop/photos")
