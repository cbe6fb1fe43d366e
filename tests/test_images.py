"""From any photo to RGB."""

import base64
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from transformers.image_transforms import convert_to_rgb

from hf_fashion.images import first_view, names_photo, open_photo, to_rgb, to_rgb_on_white
from tests.data.corpora import jpeg


def test_a_photo_is_opened_from_everything_that_may_hold_it(tmp_path):
    path = tmp_path / "photo.jpg"
    path.write_bytes(jpeg(3))
    expected = np.asarray(Image.open(path))
    url = "data:image/jpeg;base64," + base64.b64encode(jpeg(3)).decode()
    for photo in (path, str(path), jpeg(3), Image.open(path), url):
        found = open_photo(photo)
        assert found.mode == "RGB"
        np.testing.assert_array_equal(np.asarray(found), expected)


def test_a_photo_is_turned_upright(tmp_path):
    lying = Image.fromarray(np.arange(6 * 4 * 3, dtype=np.uint8).reshape(6, 4, 3))
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by 90 degrees clockwise
    lying.save(tmp_path / "lying.png", exif=exif)
    np.testing.assert_array_equal(np.asarray(open_photo(tmp_path / "lying.png")), np.rot90(np.asarray(lying), -1))


@pytest.mark.parametrize(
    ("photo", "message"),
    [
        ("no_such.jpg", "the photo 'no_such.jpg' cannot be read: there is no such file"),
        (Path("no_such"), "the photo 'no_such' cannot be read: there is no such file"),
        (__file__, r"the photo '.*test_images.py' cannot be read: UnidentifiedImageError"),
        (b"no photo", "the photo in memory cannot be read: UnidentifiedImageError"),
        ("data:image/png;base64,AAAA", "the photo 'data:image/png;base64,AAAA' cannot be read: ValueError"),
        (3, "the photo '3' cannot be read: TypeError"),
    ],
)
def test_what_cannot_be_read_is_named(photo, message):
    with pytest.raises(ValueError, match=message):
        open_photo(photo)


def transparent() -> dict[str, Image.Image]:
    pixels = np.random.default_rng(0).integers(0, 256, (5, 4, 4), dtype=np.uint8)
    palette = Image.fromarray(pixels[..., :3]).convert("P")
    palette.info["transparency"] = 3
    rgba = Image.fromarray(pixels)
    return {"RGBA": rgba, "LA": rgba.convert("LA"), "P": palette, "RGB": rgba.convert("RGB"), "L": rgba.convert("L")}


@pytest.mark.parametrize("mode", transparent())
def test_transparency_is_dropped_or_put_on_white(mode):
    photo = transparent()[mode]
    np.testing.assert_array_equal(np.asarray(to_rgb(photo)), np.asarray(photo.convert("RGB")))
    np.testing.assert_array_equal(np.asarray(to_rgb_on_white(photo)), convert_to_rgb(photo, return_numpy=True))


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


def test_the_first_of_several_views():
    assert first_view([1, 2]) == 1 and first_view(3) == 3
