"""A normalised batch of cached photos equals the output of the image processor."""

import torch

from hf_fashion.data.normalisation import PixelNormaliser
from hf_fashion.models.attribute.image_processing_attribute import AttributeImageProcessorPil


def test_a_batch_equals_the_processors_pixels():
    processor = AttributeImageProcessorPil(size={"shortest_edge": 8}, crop_size={"height": 8, "width": 8})
    generator = torch.Generator().manual_seed(0)
    photos = [torch.randint(0, 256, (3, 8, 8), generator=generator, dtype=torch.uint8) for _ in range(3)]
    expected = processor(images=photos, return_tensors="pt")["pixel_values"]
    torch.testing.assert_close(PixelNormaliser(processor)(photos), expected, atol=1e-5, rtol=0)
