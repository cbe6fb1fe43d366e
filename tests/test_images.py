"""From any photo to RGB."""

import colorsys
from io import BytesIO
from pathlib import Path

import datasets
import numpy as np
import pytest
from PIL import Image
from transformers.image_transforms import convert_to_rgb

from hf_fashion.images import (
    STRIP_HEIGHT,
    check_photo,
    decode_photo,
    names_photo,
    open_photo,
    pixels_to_decode,
    to_rgb,
    why_unreadable,
)
from tests.data.corpora import jpeg
from tests.photo_formats import ALPHAS, READABLE, REFUSED


def test_a_photo_is_opened_from_everything_that_may_hold_it(tmp_path):
    path = tmp_path / "photo.jpg"
    path.write_bytes(jpeg(3))
    expected = np.asarray(Image.open(path))
    for photo in (path, str(path), jpeg(3), Image.open(path)):
        found = open_photo(photo)
        assert found.mode == "RGB"
        np.testing.assert_array_equal(np.asarray(found), expected)


def test_a_photo_is_turned_upright(tmp_path):
    lying = Image.fromarray(np.arange(6 * 4 * 3, dtype=np.uint8).reshape(6, 4, 3))
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by 90 degrees clockwise
    lying.save(tmp_path / "lying.png", exif=exif)
    np.testing.assert_array_equal(np.asarray(open_photo(tmp_path / "lying.png")), np.rot90(np.asarray(lying), -1))


def test_a_photo_that_is_turned_is_held_twice():
    assert pixels_to_decode(jpeg(3)) == Image.open(BytesIO(jpeg(3))).width * Image.open(BytesIO(jpeg(3))).height
    exif, file = Image.Exif(), BytesIO()
    exif[0x0112] = 6
    Image.new("RGB", (6, 4)).save(file, "JPEG", exif=exif)
    assert pixels_to_decode(file.getvalue()) == 2 * 6 * 4
    assert pixels_to_decode(b"no photo") == 0


@pytest.mark.parametrize(
    ("photo", "message"),
    [
        ("no_such.jpg", "the photo 'no_such.jpg' cannot be read: there is no such file"),
        (Path("no_such"), "the photo 'no_such' cannot be read: there is no such file"),
        (
            __file__,
            r"the photo '.*test_images.py' cannot be read: the file is no photo that can be opened: it begins with",
        ),
        (
            b"no photo",
            "the photo in memory cannot be read: the file is no photo that can be opened: it begins with b'no photo'",
        ),
        (3, "the photo '3' cannot be read: a photo is an image, bytes or a path, got int"),
    ],
)
def test_what_cannot_be_read_is_named(photo, message):
    with pytest.raises(ValueError, match=message):
        open_photo(photo)


@pytest.mark.parametrize("name", READABLE)
def test_every_format_shows_its_pixels(name):
    encoded, expected, tolerance = READABLE[name]
    found = np.asarray(open_photo(encoded)).astype(float)
    assert found.shape == expected.shape
    np.testing.assert_allclose(found, expected, rtol=0, atol=tolerance + 1e-9)


@pytest.mark.parametrize("name", REFUSED)
def test_what_would_be_guessed_or_fill_the_memory_is_refused_with_the_reason(name):
    encoded, reason = REFUSED[name]
    with pytest.raises(ValueError, match=f"the photo in memory cannot be read: .*({reason})"):
        open_photo(encoded)


@pytest.mark.parametrize("name", READABLE)
def test_a_photo_decoded_elsewhere_gets_the_same_pixels(name):
    """As `datasets` decodes photos, and as a script that opens and loads them."""
    encoded = READABLE[name][0]
    decoded = [datasets.Image().decode_example({"bytes": encoded, "path": None}), Image.open(BytesIO(encoded))]
    if (
        name != "png, 2 bits with a transparent grey"
    ):  # of which Pillow forgets, once it is decoded, that it has 2 bits
        decoded[1].load()
        np.testing.assert_array_equal(np.asarray(to_rgb(decoded[0])), np.asarray(open_photo(encoded)))
    np.testing.assert_array_equal(np.asarray(to_rgb(decoded[1])), np.asarray(open_photo(encoded)))


def test_hues_become_rgb():
    hsv = Image.fromarray(np.array([[[0, 255, 255], [85, 128, 200]]], dtype=np.uint8), mode="HSV")
    colours = [
        [round(255 * value) for value in colorsys.hsv_to_rgb(h / 255, s / 255, v / 255)]
        for h, s, v in ((0, 255, 255), (85, 128, 200))
    ]
    np.testing.assert_allclose(np.asarray(to_rgb(hsv))[0], colours, atol=1)


def test_long_photos_are_converted_strip_by_strip_without_seams():
    pixels = np.random.default_rng(0).integers(0, 256, (2 * STRIP_HEIGHT + 3, 40, 4), dtype=np.uint8)
    expected = convert_to_rgb(Image.fromarray(pixels), return_numpy=True)
    np.testing.assert_array_equal(np.asarray(to_rgb(Image.fromarray(pixels))), expected)


def test_the_limit_of_pixels_is_pillows(monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 30)
    with pytest.raises(ValueError, match=r"it has 36 pixels \(6x6\): at most 30 are read"):
        to_rgb(Image.new("L", (6, 6)))
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", None)
    assert to_rgb(Image.new("L", (6, 6))).size == (6, 6)


def test_a_given_photo_is_not_changed():
    photo = Image.open(BytesIO(READABLE["png, palette with opacities"][0]))
    to_rgb(photo)
    assert photo.mode == "P" and photo.info["transparency"] == bytes(ALPHAS)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("photos/1.JPG", True),
        ("https://shop.example/1", True),
        ("data:image/png;base64,AAAA", True),
        ("a jpg", False),
        ("a red dress", False),
    ],
)
def test_strings_that_name_photos(text, expected):
    assert names_photo(text) is expected


@pytest.mark.parametrize("name", [*READABLE, *REFUSED])
def test_a_photo_is_checked_as_it_is_decoded(name):
    encoded = (READABLE[name] if name in READABLE else REFUSED[name])[0]
    failed = []
    for read in (decode_photo, check_photo):
        try:
            read(encoded)
        except Exception as error:
            failed.append(why_unreadable(error))
    assert len(failed) == (0 if name in READABLE else 2) and len(set(failed)) < 2
