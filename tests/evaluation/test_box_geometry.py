"""Boxes follow the photo through the real image processor: a white box is looked for in the processed image."""

import numpy as np
import pytest
import torch
from datasets import Dataset
from PIL import Image, ImageDraw

from hf_fashion.evaluation.box_geometry import boxes_in_model_frame, read_boxes
from hf_fashion.models.e2.image_processing_e2 import E2ImageProcessorPil


PLAIN = {"do_normalize": False, "do_rescale": False, "resample": 0}
PROCESSORS = {
    "square": {"size": {"height": 64, "width": 64}, "do_center_crop": False},
    "crop": {"size": {"shortest_edge": 64}, "crop_size": {"height": 64, "width": 64}},
    "odd crop": {"size": {"shortest_edge": 80}, "crop_size": {"height": 61, "width": 64}},
    "as it is": {"do_resize": False, "do_center_crop": False},
}


@pytest.mark.parametrize("size", [(120, 160), (160, 120), (100, 133)])
@pytest.mark.parametrize("settings", PROCESSORS.values(), ids=PROCESSORS)
def test_a_box_lands_where_its_pixels_do(settings, size):
    processor = E2ImageProcessorPil(**PLAIN, **settings)
    box = (40, 50, 70, 90)
    photo = Image.new("RGB", size)
    ImageDraw.Draw(photo).rectangle((box[0], box[1], box[2] - 1, box[3] - 1), fill="white")
    pixels = np.asarray(processor([photo], return_tensors="np")["pixel_values"][0][0]) > 0
    rows, columns = pixels.any(axis=1).nonzero()[0], pixels.any(axis=0).nonzero()[0]
    seen = torch.tensor([columns[0], rows[0], columns[-1] + 1, rows[-1] + 1], dtype=torch.float32)
    moved = boxes_in_model_frame(torch.tensor([box]), [size], processor)[0]
    torch.testing.assert_close(moved, seen, atol=1.01, rtol=0)  # nearest resampling moves a border by a pixel at most


def test_each_box_has_its_own_photo_size():
    processor = E2ImageProcessorPil(**PROCESSORS["square"])
    boxes = boxes_in_model_frame(torch.tensor([[0, 0, 64, 64], [0, 0, 64, 64]]), [(64, 128), (128, 64)], processor)
    assert boxes.tolist() == [[0, 0, 64, 32], [0, 0, 32, 64]]


def test_what_cannot_be_followed_is_an_error():
    box, sizes = torch.zeros(1, 4), [(30, 20)]
    padding = E2ImageProcessorPil(do_resize=False, crop_size={"height": 64, "width": 64})
    with pytest.raises(ValueError, match="a photo becomes 30x20 and the crop is 64x64"):
        boxes_in_model_frame(box, sizes, padding)
    with pytest.raises(ValueError, match="with only a shortest edge"):
        boxes_in_model_frame(box, sizes, E2ImageProcessorPil(size={"shortest_edge": 64, "longest_edge": 80}))
    with pytest.raises(ValueError, match="`do_pad=True`"):
        boxes_in_model_frame(box, sizes, E2ImageProcessorPil(do_pad=True))


def test_boxes_of_a_corpus_are_read_by_name():
    photos = [Image.new("RGB", size) for size in ((128, 64), (64, 64), (64, 64))]
    cells = [{"hem": [0, 0, 64, 32], "neck": [0, 0, 9, 9]}, None, {"hem": [8, 8, 16, 16], "neck": None}]
    dataset = Dataset.from_dict({"image": photos, "boxes": cells})
    processor = E2ImageProcessorPil(**PROCESSORS["square"])
    found = read_boxes(dataset, ["hem", "neck", "sleeve"], processor)
    assert list(found) == ["hem", "neck"], "a name without a box is left out"
    rows, boxes = found["hem"]
    assert (rows, boxes.tolist()) == ([0, 2], [[0, 0, 32, 32], [8, 8, 16, 16]])
    assert found["neck"][0] == [0]
    with pytest.raises(ValueError, match=r"no column 'places' of true boxes, the corpus has \['boxes', 'image'\]"):
        read_boxes(dataset, ["hem"], processor, boxes_column="places")
