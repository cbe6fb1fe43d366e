"""The photo cache: the processor's pixels, views, one folder per content, nothing half-written."""

import shutil
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from datasets import Dataset, Image, List

from hf_fashion.data.photo_cache import PhotoCache
from tests.tiny_e2 import tiny_image_processor, tiny_images


def photos(number: int = 3) -> Dataset:
    return Dataset.from_dict({"image": tiny_images(number)}).cast_column("image", Image())


def test_pixels_are_the_processors(tmp_path):
    dataset, processor = photos(), tiny_image_processor()
    cache = PhotoCache.build(dataset, "image", processor, tmp_path)
    assert len(cache) == 3
    for row in range(3):
        expected = processor(dataset[row]["image"], return_tensors="pt")["pixel_values"][0]
        mean, std = (torch.tensor(values).view(3, 1, 1) for values in (processor.image_mean, processor.image_std))
        found = (torch.from_numpy(cache.photo(row).copy()) / 255 - mean) / std
        torch.testing.assert_close(found, expected, rtol=0, atol=1e-5)


def test_views_of_a_product(tmp_path):
    images = tiny_images(5)
    dataset = Dataset.from_dict({"views": [images[:2], images[2:]]}).cast_column("views", List(Image()))
    cache = PhotoCache.build(dataset, "views", tiny_image_processor(), tmp_path)
    assert [cache.num_views(row) for row in range(2)] == [2, 3]
    assert cache.pixels.shape[0] == 5
    assert not np.array_equal(cache.photo(1, 0), cache.photo(1, 2))


def test_made_once_and_again_for_other_content(tmp_path):
    dataset, processor = photos(), tiny_image_processor()
    PhotoCache.build(dataset, "image", processor, tmp_path)
    written = {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    PhotoCache.build(dataset, "image", processor, tmp_path)
    assert {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()} == written
    PhotoCache.build(dataset.select([2, 1]), "image", processor, tmp_path)
    processor.crop_size = {"height": 8, "width": 8}
    PhotoCache.build(dataset, "image", processor, tmp_path)
    assert len(list(tmp_path.iterdir())) == 3


def test_a_failure_leaves_nothing_behind(tmp_path):
    broken = Dataset.from_dict({"image": [{"bytes": b"no photo", "path": None}]}).cast_column("image", Image())
    with pytest.raises(Exception, match=r"identify|image"):
        PhotoCache.build(broken, "image", tiny_image_processor(), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: SimpleNamespace(free=10))
    with pytest.raises(OSError, match="GB"):
        PhotoCache.build(photos(), "image", tiny_image_processor(), tmp_path)
