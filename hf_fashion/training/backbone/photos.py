"""Photos with the values of all their attributes, and their batches."""

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.utils.data import Dataset
from transformers import BaseImageProcessor

from ...data.normalisation import PixelNormaliser
from ...data.photo_cache import PhotoCache


class LabelledPhotos(Dataset):
    """Yield photos with the values of all their attributes.

    Args:
        photos (`PhotoCache`): N rows.
        value_ids (`torch.Tensor` of shape `(N, A)`): long; -1 = unlabelled.
    """

    def __init__(self, photos: PhotoCache, value_ids: Tensor):
        self.photos, self.value_ids = photos, value_ids

    def set_epoch(self, epoch: int) -> None:
        """Do nothing: every epoch shows the same photos."""

    def __len__(self) -> int:
        return len(self.photos)

    def __getitem__(self, row: int) -> tuple[Tensor, Tensor]:
        return torch.from_numpy(self.photos.photo(row).copy()), self.value_ids[row]


class ClassifierCollator:
    """Batch items of [`LabelledPhotos`], and normalise their pixels.

    Args:
        image_processor (`BaseImageProcessor`): mean and standard deviation.
    """

    def __init__(self, image_processor: BaseImageProcessor):
        self.normalise = PixelNormaliser(image_processor)

    def __call__(self, items: Sequence[tuple[Tensor, Tensor]]) -> dict[str, Tensor]:
        """Return `pixel_values` (B, 3, S, S) and `value_ids` (B, A) of B items."""
        photos, value_ids = zip(*items, strict=True)
        return {"pixel_values": self.normalise(photos), "value_ids": torch.stack(value_ids)}
