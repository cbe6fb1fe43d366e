"""The frame of the model's input on a photo, checked on the pixels that the real image processor gives."""

import numpy as np
import pytest
from PIL import Image

from hf_fashion.models.e2.image_processing_e2 import E2ImageProcessorPil
from hf_fashion.models.e2.photo_geometry_e2 import ModelFrame, input_size, model_frame


@pytest.mark.parametrize("size", [(600, 300), (300, 900), (301, 447)])
@pytest.mark.parametrize(
    "settings",
    [
        {"size": {"shortest_edge": 64}, "crop_size": {"height": 64, "width": 64}},
        {"size": {"shortest_edge": 80}, "crop_size": {"height": 61, "width": 64}},
        {"size": {"height": 48, "width": 96}, "do_center_crop": False},
        {"size": {"shortest_edge": 64}, "do_center_crop": False},
    ],
)
def test_corners_of_the_input_are_where_the_frame_says(settings, size):
    """The photo's red grows from left to right and its green from top to bottom, so a pixel tells where it was."""
    width, height = size
    ramp = np.zeros((height, width, 3), dtype=np.float32)
    ramp[..., 0], ramp[..., 1] = np.arange(width) / width * 255, np.arange(height)[:, None] / height * 255
    processor = E2ImageProcessorPil(do_normalize=False, do_rescale=False, resample=0, **settings)
    pixels = np.asarray(processor([Image.fromarray(ramp.astype(np.uint8))], return_tensors="np")["pixel_values"][0])
    frame = model_frame(width, height, processor)
    assert pixels.shape[1:] == (frame.height, frame.width)
    for row, column in ((0, 0), (frame.height - 1, frame.width - 1)):
        x = (column + 0.5 + frame.left) / frame.x_scale
        y = (row + 0.5 + frame.top) / frame.y_scale
        assert abs(pixels[0, row, column] / 255 * width - x) <= width / 255 + 1 / frame.x_scale
        assert abs(pixels[1, row, column] / 255 * height - y) <= height / 255 + 1 / frame.y_scale


def test_a_photo_that_is_left_as_it_is():
    processor = E2ImageProcessorPil(do_resize=False, do_center_crop=False)
    assert model_frame(30, 20, processor) == ModelFrame(1, 1, 0, 0, 30, 20)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"do_resize": False, "crop_size": {"height": 64, "width": 64}}, "becomes 30x20 and the crop is 64x64"),
        ({"size": {"shortest_edge": 64, "longest_edge": 80}}, "with only a shortest edge"),
        ({"do_pad": True}, "`do_pad=True`"),
    ],
)
def test_what_cannot_be_followed_is_an_error(settings, message):
    with pytest.raises(ValueError, match=message):
        model_frame(30, 20, E2ImageProcessorPil(**settings))


def test_the_size_of_the_models_inputs():
    assert input_size(E2ImageProcessorPil(size={"height": 20, "width": 30}, do_center_crop=False)) == (20, 30)
    assert input_size(E2ImageProcessorPil(crop_size={"height": 28, "width": 14})) == (28, 14)
    with pytest.raises(ValueError, match="makes inputs of several sizes"):
        input_size(E2ImageProcessorPil(do_center_crop=False))
