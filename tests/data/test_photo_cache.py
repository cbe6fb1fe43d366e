"""The photo cache: the processor's pixels, views, one folder per content, nothing half-written."""

import hashlib
import json
import os
import pickle
import shutil
import socket
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from datasets import Dataset, Features, Image, List

from hf_fashion.data.loading import load_corpus
from hf_fashion.data.photo_cache import PhotoCache
from hf_fashion.files import ABANDONED_AFTER_SECONDS
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


def test_a_photo_file_written_anew_is_read_anew(tmp_path):
    first, second = tiny_images(2)
    photo, feed, folder = tmp_path / "0.png", tmp_path / "feed.csv", tmp_path / "cache"
    feed.write_text("image,title\n0.png,Hat\n")
    pixels = []
    for image in (first, first, second):
        if not pixels or image is second:
            image.save(photo)
        cache = PhotoCache.build(load_corpus(feed)["train"], "image", tiny_image_processor(), folder)
        pixels.append(cache.photo(0).copy())
    assert np.array_equal(pixels[0], pixels[1]) and not np.array_equal(pixels[0], pixels[2])
    assert len(list(folder.iterdir())) == 2


def key(*version: int) -> str:
    """The name of the cache of `photos()`, with the version of the pixels or, as before there was one, without."""
    settings = tiny_image_processor().to_dict()
    names = ("do_resize", "size", "resample", "do_center_crop", "crop_size", "do_convert_rgb", "do_pad", "pad_size")
    geometry = {name: settings[name] for name in names if name in settings}
    text = json.dumps([*version, photos()._fingerprint, "image", geometry], default=str, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:24]


def test_the_key_of_embedded_photos_does_not_change(tmp_path):
    """Caches that were made before stay in use."""
    PhotoCache.build(photos(), "image", tiny_image_processor(), tmp_path)
    assert [folder.name for folder in tmp_path.iterdir()] == [key(2)]


@pytest.mark.parametrize("version", [(), (1,)])
def test_a_cache_of_photos_decoded_by_older_rules_is_not_used(tmp_path, version):
    (tmp_path / key(*version)).mkdir()
    np.save(tmp_path / key(*version) / "starts.npy", np.arange(4))
    np.save(tmp_path / key(*version) / "pixels.npy", np.zeros((3, 3, 16, 16), dtype=np.uint8))
    assert PhotoCache.build(photos(), "image", tiny_image_processor(), tmp_path).pixels.any()


def test_an_unreadable_photo_is_named_by_its_row(tmp_path):
    rows = [[tiny_images(1)[0]], [{"bytes": b"<html>", "path": "photos/2.jpg"}]]
    dataset = Dataset.from_dict({"views": rows}, features=Features(views=List(Image())))
    with pytest.raises(
        ValueError, match=r"row 1 \(photos/2.jpg\): the photo in column 'views' cannot be read: .*<html>"
    ):
        PhotoCache.build(dataset, "views", tiny_image_processor(), tmp_path)


def test_what_killed_builds_left_is_removed_and_a_running_build_is_not(tmp_path):
    dataset, processor = photos(), tiny_image_processor()
    folder = PhotoCache.build(dataset, "image", processor, tmp_path).folder
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    host = socket.gethostname()
    names = {
        "killed": f".{folder.name}.{host}.{gone.pid}.0123abcd",
        "running": f".{folder.name}.{host}.{os.getppid()}.0123abcd",
        "elsewhere": f".{folder.name}.other-{host}.{gone.pid}.0123abcd",
        "elsewhere, old": f".{folder.name}.other-{host}.{gone.pid}.4567cdef",
        "another cache": f".0123.{host}.{gone.pid}.0123abcd",
    }
    for name in names.values():
        (tmp_path / name).mkdir()
        (tmp_path / name / "pixels.npy").write_bytes(b"half")
    long_ago = folder.stat().st_mtime - ABANDONED_AFTER_SECONDS - 60
    os.utime(tmp_path / names["elsewhere, old"], (long_ago, long_ago))
    shutil.rmtree(folder)
    PhotoCache.build(dataset, "image", processor, tmp_path)
    left = {path.name for path in tmp_path.iterdir()}
    assert left == {folder.name, names["running"], names["elsewhere"], names["another cache"]}


def test_a_pickle_holds_no_pixels(tmp_path):
    cache = PhotoCache.build(photos(40), "image", tiny_image_processor(), tmp_path)
    pickled = pickle.dumps(cache)
    assert len(pickled) < 1000 < cache.pixels.nbytes
    assert np.array_equal(pickle.loads(pickled).photo(39), cache.photo(39))
