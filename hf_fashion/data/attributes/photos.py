"""What a step of attribute-specific training reads: labelled photos, and the collator that makes a batch of them."""

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
    """Photos of one split, looked up by the draws of a batch sampler.

    Args:
        photos (`PhotoCache`): at the size of the global branch.
        sources (`PhotoCache`, *optional*): the same photos at the size that regions are cropped from.
        seed (`int`, *optional*, defaults to 0): of the extra views.
    """

    def __init__(self, photos: PhotoCache, sources: PhotoCache | None = None, seed: int = 0):
        self.photos, self.sources, self.seed = photos, sources, seed
        self.epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """Makes other views in another epoch; the same ones in the same epoch, whatever was read before."""
        self.epoch = epoch

    def __len__(self) -> int:
        return len(self.photos)

    def __getitem__(self, drawn: LabelledRow) -> dict[str, Any]:
        item = drawn._asdict() | {"photo": torch.from_numpy(self.photos.photo(drawn.row).copy())}
        if self.sources is not None:
            item["source"] = torch.from_numpy(self.sources.photo(drawn.row).copy())
        return item | {"key": f"{self.seed}/{self.epoch}/{drawn.row}"}


class AttributeCollator:
    """Batches labelled photos: pixels normalised, extra views of anchors behind them.

    Args:
        image_processor (`BaseImageProcessor`): mean and standard deviation.
        extra_views (`int`): views of every third photo, the anchors of a batch of triplets; 0 to 2.
    """

    def __init__(self, image_processor: BaseImageProcessor, extra_views: int = 0):
        self.normalise = PixelNormaliser(image_processor)
        self.distortions = VIEW_DISTORTIONS[:extra_views]

    def __call__(self, items: Sequence[dict[str, Any]]) -> dict[str, Tensor]:
        """N items of `AttributePhotos` -> `pixel_values` (N + M, 3, S, S), `attribute_ids` (N + M,), `value_ids` (N,),
        `view_items` (M,), the item that each of the M views shows, and with sources `source_pixel_values`
        (N + M, 3, S', S')."""
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
        """One generator a batch, seeded by what is in it: a resumed run, and a photo and its source, see the same."""
        key = "/".join(item["key"] for item in items).encode()
        seed = int.from_bytes(hashlib.blake2b(key, digest_size=7).digest(), "big")
        generator = torch.Generator().manual_seed(seed)
        return [random_views(photos[::3], distortion, generator) for distortion in self.distortions]
