"""The image processor: what the model sees, and the photo that regions are cut from."""

import numpy as np
import pytest
import torch
from PIL import Image

from hf_fashion.models.attribute.image_processing_attribute import AttributeImageProcessorPil
from tests.tiny_attribute import IMAGE_SIZE, tiny_image_processor, tiny_photos


MEAN, STD = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])


def normalised(photo: Image.Image) -> torch.Tensor:
    pixels = torch.from_numpy(np.array(photo)).float() / 255
    return ((pixels - MEAN) / STD).permute(2, 0, 1)


def test_centre_of_the_scaled_photo():
    photo = tiny_photos()[1]  # 120 x 80
    pixels = tiny_image_processor()(photo, return_tensors="pt")["pixel_values"][0]
    scaled = photo.resize((96, 64), Image.Resampling.BILINEAR)
    torch.testing.assert_close(pixels, normalised(scaled.crop((16, 0, 80, 64))), rtol=0, atol=1e-5)


def test_source_is_the_photo_itself_padded_at_right_and_bottom():
    photos = tiny_photos()
    features = tiny_image_processor()(photos, do_source=True, return_tensors="pt")
    assert features["pixel_values"].shape == (3, 3, IMAGE_SIZE, IMAGE_SIZE)
    assert features["source_pixel_values"].shape == (3, 3, 100, 120)
    assert features["source_sizes"].tolist() == [[100, 70], [80, 120], [90, 90]]
    for photo, source in zip(photos, features["source_pixel_values"], strict=True):
        torch.testing.assert_close(source[:, : photo.height, : photo.width], normalised(photo), rtol=0, atol=1e-5)
        assert source[:, photo.height :].abs().sum() == source[:, :, photo.width :].abs().sum() == 0


def test_large_photos_are_shrunk_to_the_longest_edge():
    photos = [Image.new("RGB", (300, 100)), Image.new("RGB", (50, 60))]
    features = tiny_image_processor()(photos, do_source=True, source_longest_edge=90, return_tensors="pt")
    assert features["source_sizes"].tolist() == [[30, 90], [60, 50]]
    assert features["source_pixel_values"].shape == (2, 3, 60, 90)


def test_source_only_where_it_is_asked_for():
    assert set(tiny_image_processor()(tiny_photos(), return_tensors="pt")) == {"pixel_values"}
    always = tiny_image_processor(do_source=True)
    assert set(always(tiny_photos(), return_tensors="np")) == {"pixel_values", "source_pixel_values", "source_sizes"}


def test_source_of_an_unnormalised_grey_photo():
    photo = Image.new("L", (70, 80), 51)
    features = tiny_image_processor()(photo, do_source=True, do_normalize=False, return_tensors="pt")
    torch.testing.assert_close(features["source_pixel_values"], torch.full((1, 3, 80, 70), 0.2))


def test_saved_and_read_is_equal(tmp_path):
    processor = tiny_image_processor(do_source=True, source_longest_edge=77)
    processor.save_pretrained(tmp_path)
    again = AttributeImageProcessorPil.from_pretrained(tmp_path)
    assert again.to_dict() == processor.to_dict() and again.source_longest_edge == 77


@pytest.mark.parametrize(
    "settings",
    [
        {"size": {"shortest_edge": 80}},
        {"size": {"height": IMAGE_SIZE, "width": IMAGE_SIZE}},
        {"size": {"shortest_edge": IMAGE_SIZE, "longest_edge": 90}},
        {"crop_size": {"height": IMAGE_SIZE, "width": 48}},
        {"do_center_crop": False},
        {"do_resize": False},
    ],
)
def test_a_source_that_the_regions_would_not_fit_is_refused(settings):
    processor = tiny_image_processor(**settings)
    photo = Image.new("RGB", (64, 64))
    assert processor(photo, return_tensors="pt")["pixel_values"].ndim == 4
    with pytest.raises(ValueError, match="needs the centre square as the model's input"):
        processor(photo, do_source=True, return_tensors="pt")
