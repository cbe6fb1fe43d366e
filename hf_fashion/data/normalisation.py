"""Normalise the pixels of a photo cache for a model."""

from collections.abc import Sequence

import torch
from torch import Tensor
from transformers import BaseImageProcessor


class PixelNormaliser:
    """Rescale and normalise batches of photos as an image processor does.

    Args:
        image_processor (`BaseImageProcessor`): its factor, mean and standard deviation.
    """

    def __init__(self, image_processor: BaseImageProcessor):
        statistics = (image_processor.image_mean, image_processor.image_std)
        self.mean, self.std = (torch.tensor(values).view(3, 1, 1) for values in statistics)
        self.rescale = image_processor.rescale_factor

    def __call__(self, photos: Sequence[Tensor]) -> Tensor:
        """Normalise B photos.

        Args:
            photos (`Sequence[torch.Tensor]`): `uint8` of shape `(3, H, W)` each.

        Returns:
            `torch.Tensor` of shape `(B, 3, H, W)`: float32, channels last in memory.
        """
        # Convolutions keep the memory format of their input; with this one a ResNet trains a quarter faster.
        pixels = torch.stack(photos).contiguous(memory_format=torch.channels_last)
        return (pixels.float() * self.rescale - self.mean) / self.std
