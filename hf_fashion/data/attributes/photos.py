"""Dataset and collator of labelled photos for attribute-specific training."""

import hashlib
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from transformers import BaseImageProcessor

from ..augmentation import random_views
from ..normalisation import PixelNormaliser
from ..photo_cache import PhotoCache
from ..samplers.pk_batches import LabelledRow


VIEW_DISTORTIONS = (0.2, 0.4)  # of the first and the second extra view of an anchor (Wan et al. 2025, released code)


class AttributePhotos(torch.utils.data.Dataset):
    """Dataset of the photos of one split, indexed by the rows that a batch sampler draws.

    Args:
        photos (`PhotoCache`): photos at the size of the global branch.
        sources (`PhotoCache`, *optional*): the same photos at the size that regions are cropped from.
        seed (`int`, *optional*, defaults to 0): seed of the extra views.
    """

    def __init__(self, photos: PhotoCache, sources: PhotoCache | None = None, seed: int = 0):
        self.photos, self.sources, self.seed = photos, sources, seed
        self.epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """Choose the epoch whose views are drawn; an epoch has the same views whatever was read before."""
        self.epoch = epoch

    def __len__(self) -> int:
        return len(self.photos)

    def __getitem__(self, drawn: LabelledRow) -> dict[str, Any]:
        item = drawn._asdict() | {"photo": torch.from_numpy(self.photos.photo(drawn.row).copy())}
        if self.sources is not None:
            item["source"] = torch.from_numpy(self.sources.photo(drawn.row).copy())
        return item | {"key": f"{self.seed}/{self.epoch}/{drawn.row}"}


class AttributeCollator:
    """Collate labelled photos to a batch: normalise pixels, and append extra views of anchors.

    Args:
        image_processor (`BaseImageProcessor`): its mean and standard deviation are used.
        extra_views (`int`, *optional*, defaults to 0): views of every third photo, the anchors of a batch of triplets;
            0 to 2.
    """

    def __init__(self, image_processor: BaseImageProcessor, extra_views: int = 0):
        self.normalise = PixelNormaliser(image_processor)
        self.distortions = VIEW_DISTORTIONS[:extra_views]

    def __call__(self, items: Sequence[dict[str, Any]]) -> dict[str, Tensor]:
        """Collate N items, and append M extra views.

        Args:
            items (`Sequence[dict[str, Any]]`): items of `AttributePhotos`.

        Returns:
            `dict[str, torch.Tensor]`: `pixel_values` (N + M, 3, S, S), `attribute_ids` (N + M,), `value_ids` (N,),
            `view_items` (M,), the item that each of the M views shows, and with sources `source_pixel_values`
            (N + M, 3, S', S').
        """
        photos, labels = self.normalise([item["photo"] for item in items]), self._labels(items)
        anchors = torch.arange(0, len(items), 3).repeat(len(self.distortions))  # (M,)
        batch = {"value_ids": labels["value_id"], "view_items": anchors}
        batch["attribute_ids"] = torch.cat([labels["attribute_id"], labels["attribute_id"][anchors]])
        batch["pixel_values"] = torch.cat([photos, *self._views(photos, items)])
        if "source" in items[0]:
            sources = self.normalise([item["source"] for item in items])
            batch["source_pixel_values"] = torch.cat([sources, *self._views(sources, items)])
        return batch

    def _labels(self, items: Sequence[dict[str, Any]]) -> dict[str, Tensor]:
        return {name: torch.tensor([item[name] for item in items]) for name in ("attribute_id", "value_id")}

    def _views(self, photos: Tensor, items: Sequence[dict[str, Any]]) -> list[Tensor]:
        """Draw views, seeded by the batch's content: a resumed run, and a photo and its source, get the same views."""
        key = "/".join(item["key"] for item in items).encode()
        seed = int.from_bytes(hashlib.blake2b(key, digest_size=7).digest(), "big")
        generator = torch.Generator().manual_seed(seed)
        return [random_views(photos[::3], distortion, generator) for distortion in self.distortions]
