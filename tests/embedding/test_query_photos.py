"""Photos of queries in every form."""

import base64
from io import BytesIO, StringIO
from pathlib import Path

import numpy as np
import pytest
import torch

from hf_fashion.embedding import query_photos
from hf_fashion.embedding.query_photos import ANYWHERE, PhotoSources, is_photo, photo_of
from tests.tiny_e2 import tiny_images


PHOTO = tiny_images(1)[0]
PIXELS = np.array(PHOTO)
NOWHERE = PhotoSources(paths=False, urls=False)


def encoded(kind: str = "png") -> bytes:
    buffer = BytesIO()
    PHOTO.save(buffer, format=kind)
    return buffer.getvalue()


@pytest.mark.parametrize(
    "photo",
    [
        PHOTO,
        PIXELS,
        PIXELS.transpose(2, 0, 1),
        PIXELS[:, ::-1][:, ::-1],
        PIXELS.astype(np.float32) / 255,
        np.dstack([PIXELS, np.full(PIXELS.shape[:2], 255, np.uint8)]),
        torch.from_numpy(PIXELS),
        torch.from_numpy(PIXELS).permute(2, 0, 1),
        (torch.from_numpy(PIXELS).permute(2, 0, 1) / 255).requires_grad_(),
        encoded(),
        memoryview(encoded()),
        BytesIO(encoded()),
        {"bytes": encoded(), "path": "1.png"},
        base64.b64encode(encoded()).decode(),
        base64.encodebytes(encoded()).decode(),
        "data:image/png;base64," + base64.b64encode(encoded()).decode(),
    ],
)
def test_the_pixels_are_those_of_the_photo(photo):
    for sources in (ANYWHERE, NOWHERE):
        np.testing.assert_array_equal(np.array(sources.open(photo)), PIXELS)


@pytest.mark.parametrize("kind", ["jpeg", "gif", "webp", "bmp", "tiff"])
def test_base64_of_every_format_is_known_from_a_path(kind):
    assert NOWHERE.open(base64.b64encode(encoded(kind)).decode()).size == PHOTO.size


def test_grey_pixels_are_a_photo():
    grey = np.arange(64, dtype=np.uint8).reshape(8, 8)
    for photo in (grey, grey[..., None], grey[None], torch.from_numpy(grey)):
        np.testing.assert_array_equal(np.array(photo_of(photo)), grey)


def test_of_three_rows_of_pixels_arrays_have_channels_last_and_tensors_first():
    pixels = np.arange(45, dtype=np.uint8).reshape(3, 5, 3)
    assert photo_of(pixels).size == (5, 3)
    assert photo_of(torch.from_numpy(pixels)).size == (3, 5)


def test_a_file_is_read_from_its_beginning(tmp_path):
    (tmp_path / "photo").write_bytes(encoded())
    with open(tmp_path / "photo", "rb") as file:
        file.read()
        assert ANYWHERE.open(file).size == PHOTO.size


def test_a_stored_image_without_bytes_is_its_file(tmp_path):
    (tmp_path / "photo").write_bytes(encoded())
    assert ANYWHERE.open({"bytes": None, "path": str(tmp_path / "photo")}).size == PHOTO.size
    with pytest.raises(ValueError, match="`allow_paths` is off"):
        NOWHERE.open({"bytes": None, "path": str(tmp_path / "photo")})


def test_a_path_may_begin_with_the_home_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "photo.png").write_bytes(encoded())
    for name in ("~/photo.png", Path("~/photo.png")):
        assert ANYWHERE.open(name).size == PHOTO.size
    with pytest.raises(ValueError, match=r"'~no-such-user/photo\.png' cannot be read"):
        ANYWHERE.open("~no-such-user/photo.png")


@pytest.mark.parametrize(
    ("photo", "message"),
    [
        (3, "got int"),
        (StringIO("text"), r"opened for bytes, with open\(path, 'rb'\)"),
        (
            PIXELS.astype(np.float32),
            r"floats must be from 0 to 1, got .*: give the photo as it is",
        ),
        (np.full((8, 8, 3), np.nan), "from 0 to 1, got nan"),
        (PIXELS.astype(np.int64), "uint8 from 0 to 255, or floats from 0 to 1, got int64"),
        (np.zeros((8, 8, 5), np.uint8), r"shape \(H, W, 3\) or \(3, H, W\), got \(8, 8, 5\)"),
        (np.zeros((0, 8, 3), np.uint8), r"got \(0, 8, 3\)"),
        (np.zeros(8, np.uint8), r"got \(8,\)"),
        (b"not a photo", "the photo in memory cannot be read"),
        ("data:image/png;base64,????", "there is no base64"),
        ("coat", "the photo 'coat' cannot be read: there is no such file"),
    ],
)
def test_what_is_no_photo_is_refused(photo, message):
    with pytest.raises(ValueError, match=message):
        ANYWHERE.open(photo)


def test_a_url_is_fetched_where_urls_are_allowed(monkeypatch):
    asked = []
    monkeypatch.setattr(query_photos, "fetch_photo", lambda url: asked.append(url) or encoded())
    assert PhotoSources(paths=False).open("HTTPS://shop.example/1").size == PHOTO.size
    with pytest.raises(ValueError, match="`allow_urls` is off"):
        PhotoSources(urls=False).open("https://shop.example/1")
    assert asked == ["HTTPS://shop.example/1"]


@pytest.mark.parametrize("photo", [PHOTO, PIXELS, b"", BytesIO(), {"bytes": b"", "path": None}])
def test_a_photo_is_known_by_its_type(photo):
    assert is_photo(photo)


@pytest.mark.parametrize(
    "other", ["1.jpg", {"bytes": 1}, {}, np.zeros((2, 8, 8, 3)), np.array(["a"], dtype=object), 3]
)
def test_strings_weights_and_batches_are_no_photo(other):
    assert not is_photo(other)
