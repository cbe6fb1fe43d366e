"""One photo, processed as by the image processor itself."""

import numpy as np
import pytest
from PIL import Image
from transformers import CLIPImageProcessor
from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil
from transformers.models.siglip.image_processing_pil_siglip import SiglipImageProcessorPil

from hf_fashion.data.photos.photo_processing import process_photo, resized_size
from hf_fashion.models.attribute.image_processing_attribute import AttributeImageProcessorPil
from hf_fashion.models.e2.image_processing_e2 import E2ImageProcessorPil


SIZES = ((300, 200), (41, 199), (224, 224), (20, 10), (1000, 700))


class PaddedFirst(CLIPImageProcessorPil):
    """Pads a photo to a square before it resizes it."""

    def _preprocess(self, images, **kwargs):
        side = max(max(image.shape) for image in images)
        padded = [np.pad(image, ((0, 0), (0, side - image.shape[1]), (0, side - image.shape[2]))) for image in images]
        return super()._preprocess(padded, **kwargs)


PROCESSORS = {
    "e2": E2ImageProcessorPil(size={"shortest_edge": 32}, crop_size={"height": 32, "width": 32}),
    "clip": CLIPImageProcessor(size={"shortest_edge": 48}, crop_size={"height": 32, "width": 32}),
    "stretched": CLIPImageProcessorPil(size={"height": 40, "width": 30}, do_center_crop=False),
    "nearest": CLIPImageProcessorPil(resample=0),
    "not resized": CLIPImageProcessorPil(do_resize=False, crop_size={"height": 32, "width": 32}),
    "longest edge": CLIPImageProcessorPil(size={"shortest_edge": 32, "longest_edge": 40}, do_center_crop=False),
    "siglip": SiglipImageProcessorPil(),
    "padded first": PaddedFirst(size={"shortest_edge": 32}, crop_size={"height": 32, "width": 32}),
    "asen": AttributeImageProcessorPil(),
    "asen++": AttributeImageProcessorPil(do_source=True, source_longest_edge=150),
}


def noise(size: tuple[int, int]) -> Image.Image:
    return Image.fromarray(np.random.default_rng(0).integers(0, 256, (*size[::-1], 3), dtype=np.uint8))


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", PROCESSORS)
def test_a_photo_becomes_exactly_what_the_image_processor_makes_of_it(name, size):
    expected = PROCESSORS[name]([noise(size)], return_tensors="np")
    found = process_photo(PROCESSORS[name], noise(size), return_tensors="np")
    assert set(found) == set(expected)
    for key, value in expected.items():
        np.testing.assert_array_equal(found[key], value)


@pytest.mark.parametrize("name", ["e2", "asen", "asen++"])
def test_options_of_the_call_are_kept(name):
    options = {"do_rescale": False, "do_normalize": False, "return_tensors": "np"}
    expected = PROCESSORS[name]([noise((60, 50))], **options)["pixel_values"]
    np.testing.assert_array_equal(
        process_photo(PROCESSORS[name], noise((60, 50)), **options)["pixel_values"], expected
    )


@pytest.mark.parametrize("name", ["e2", "stretched", "siglip", "asen", "asen++"])
def test_the_image_processor_gets_the_photo_resized(name, monkeypatch):
    """Of the full size it would make several copies."""
    processor, seen = PROCESSORS[name], []
    process = type(processor).process_image
    monkeypatch.setattr(
        type(processor), "process_image", lambda self, image, *a, **k: seen.append(image.size) or process(self, image)
    )
    process_photo(processor, noise((1000, 700)), return_tensors="np")
    assert max(max(size) for size in seen) < 350


def test_the_size_after_resizing():
    assert resized_size(300, 200, PROCESSORS["e2"]) == (48, 32)
    assert resized_size(200, 301, PROCESSORS["e2"]) == (32, 48)
    assert resized_size(7, 9, PROCESSORS["stretched"]) == (30, 40)
    assert resized_size(7, 9, PROCESSORS["not resized"]) == (7, 9)
    assert resized_size(7, 9, PROCESSORS["longest edge"]) is None
