"""E2's image processor: CLIP's pixels, and a file that travels with a saved folder."""

import json

import numpy as np
import pytest
import torch
from PIL import Image
from transformers.models.beit.image_processing_pil_beit import BeitImageProcessorPil
from transformers.models.bit.image_processing_pil_bit import BitImageProcessorPil
from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil
from transformers.models.convnext.image_processing_pil_convnext import ConvNextImageProcessorPil
from transformers.models.siglip.image_processing_pil_siglip import SiglipImageProcessorPil
from transformers.models.vit.image_processing_pil_vit import ViTImageProcessorPil

from hf_fashion.models.e2.image_processing_e2 import E2ImageProcessorPil
from tests.tiny_e2 import IMAGE_SIZE, tiny_image_processor, tiny_images


def test_pixels_are_clips():
    sizes = {"size": {"shortest_edge": IMAGE_SIZE}, "crop_size": {"height": IMAGE_SIZE, "width": IMAGE_SIZE}}
    pixels = tiny_image_processor()(tiny_images(), return_tensors="pt")["pixel_values"]
    expected = CLIPImageProcessorPil(**sizes)(tiny_images(), return_tensors="pt")["pixel_values"]
    torch.testing.assert_close(pixels, expected, rtol=0, atol=0)


def test_pixels_are_the_resized_centre_normalised():
    processor = tiny_image_processor()
    photo = tiny_images(1)[0].resize((40, 32))
    resized = photo.resize((20, IMAGE_SIZE), Image.Resampling.BICUBIC).crop((2, 0, 18, IMAGE_SIZE))
    expected = (np.array(resized) / 255 - processor.image_mean) / processor.image_std
    pixels = processor(photo, return_tensors="np")["pixel_values"][0]
    np.testing.assert_allclose(pixels, expected.transpose(2, 0, 1), atol=1e-5)


def test_a_saved_folder_names_and_holds_its_own_file(tmp_path):
    processor = tiny_image_processor()
    processor.save_pretrained(tmp_path)
    saved = json.loads((tmp_path / "preprocessor_config.json").read_text())
    assert "image_processing_e2.E2ImageProcessorPil" in json.dumps(saved["auto_map"])
    assert (tmp_path / "image_processing_e2.py").is_file()
    assert E2ImageProcessorPil.from_pretrained(tmp_path).to_dict() == processor.to_dict()


SQUARE = {"height": 32, "width": 32}
OTHERS = {
    "siglip": SiglipImageProcessorPil(size=SQUARE),
    "siglip without statistics": SiglipImageProcessorPil(size=SQUARE, do_normalize=False, do_rescale=False),
    "dinov2": BitImageProcessorPil(size={"shortest_edge": 36}, crop_size={"height": 28, "width": 28}),
    "vit": ViTImageProcessorPil(size=SQUARE, image_mean=[0.1, 0.2, 0.3]),
    "clip": CLIPImageProcessorPil(size={"shortest_edge": 32}, crop_size=SQUARE),
}


@pytest.mark.parametrize("name", OTHERS)
def test_pixels_are_those_of_another_models_processor(name, tmp_path):
    OTHERS[name].save_pretrained(tmp_path)
    photos = [photo.resize((61, 44)) for photo in tiny_images()]
    expected = OTHERS[name](photos, return_tensors="pt")["pixel_values"]
    for source in (OTHERS[name], tmp_path):
        pixels = E2ImageProcessorPil.of(source)(photos, return_tensors="pt")["pixel_values"]
        torch.testing.assert_close(pixels, expected.float(), rtol=0, atol=1e-5)


def test_dinov3s_is_read_where_torchvision_is_missing(tmp_path):
    fields = ViTImageProcessorPil(size=SQUARE, image_std=[0.2, 0.2, 0.2]).to_dict()
    fields |= {"image_processor_type": "DINOv3ViTImageProcessorFast", "crop_size": None, "do_center_crop": None}
    (tmp_path / "preprocessor_config.json").write_text(json.dumps(fields, default=int))
    processor = E2ImageProcessorPil.of(tmp_path)
    assert dict(processor.size)["height"] == 32 and not processor.do_center_crop
    assert list(processor.image_std) == [0.2, 0.2, 0.2]


@pytest.mark.parametrize(
    ("processor", "message"),
    [
        (ConvNextImageProcessorPil(), "ConvNextImageProcessorPil has steps that E2's image processor lacks: .*resize"),
        (BeitImageProcessorPil(do_reduce_labels=True), "lacks: do_reduce_labels"),
        (ViTImageProcessorPil(do_resize=False), "resizes nothing"),
    ],
)
def test_steps_that_would_be_lost_are_named(processor, message):
    with pytest.raises(ValueError, match=message):
        E2ImageProcessorPil.of(processor)
