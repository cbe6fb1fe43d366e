"""From the pixels of a photo cache to what a model reads."""

from collections.abc import Sequence

import torch
from torch import Tensor
from transformers import BaseImageProcessor


class PixelNormaliser:
    """Rescales and normalises photos as an image processor does, a batch at a time.

    Args:
        image_processor (`BaseImageProcessor`): its factor, mean and standard deviation.
    """

    def __init__(self, image_processor: BaseImageProcessor):
        statistics = (image_processor.image_mean, image_processor.image_std)
        self.mean, self.std = (torch.tensor(values).view(3, 1, 1) for values in statistics)
        self.rescale = image_processor.rescale_factor

    def __call__(self, photos: Sequence[Tensor]) -> Tensor:
        """B photos, `uint8` (3, H, W) each -> float32 (B, 3, H, W), channels last in memory."""
        # Convolutions keep the order of their input: backward and forward of a ResNet are a quarter faster so.
        pixels = torch.stack(photos).contiguous(memory_format=torch.channels_last)
        return (pixels.float() * self.rescale - self.mean) / self.std
