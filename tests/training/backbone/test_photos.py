"""Labelled photos and their batches."""

import torch

from hf_fashion.training.attribute.build import square_processor
from hf_fashion.training.backbone.photos import ClassifierCollator
from tests.training.backbone.tiny_backbone import tiny_photos


def test_a_batch_is_normalised_as_the_image_processor_does(tmp_path):
    photos, processor = tiny_photos(tmp_path), square_processor(16)
    batch = ClassifierCollator(processor)([photos[3], photos[4]])
    expected = processor([photos.photos.photo(row) for row in (3, 4)], return_tensors="pt")["pixel_values"]
    torch.testing.assert_close(batch["pixel_values"], expected)
    assert batch["value_ids"].tolist() == [[3, -1], [0, 0]]
