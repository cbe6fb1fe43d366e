"""E2's image processor: CLIP's pixels, and a file that travels with a saved folder."""

import json

import numpy as np
import torch
from PIL import Image
from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil

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
