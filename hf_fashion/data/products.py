"""Dataset and collator of products for E2: photo, text and tags."""

import hashlib
from collections.abc import Callable, Sequence
from typing import Any

import torch
from datasets import Dataset
from torch import Tensor
from transformers import ProcessorMixin

from ..texts import tokenize, warn_of_long_texts
from .column_map import ColumnMap
from .normalisation import PixelNormaliser
from .photo_cache import PhotoCache
from .values import caption_texts, column_texts


def product_tags(dataset: Dataset, column_map: ColumnMap) -> list[dict[str, str | None]]:
    """Return the tags of every row by entity; `None` where a tag is missing."""
    columns = {entity: column_texts(dataset, column) for entity, column in column_map.tags.items()}
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)] or [{}] * len(dataset)


def product_texts(dataset: Dataset, column_map: ColumnMap, processor: ProcessorMixin) -> list[str | None]:
    """Return the text of every row for the text tower, `None` where the row has no caption.

    A processor that composes (`E2Processor.compose_text`) puts the row's tags in front of the caption.

    Args:
        dataset (`Dataset`): the split.
        column_map (`ColumnMap`): its columns.
        processor (`E2Processor`): composes the texts.

    Raises:
        ValueError: if the map names no caption.
    """
    if column_map.caption is None:
        raise ValueError("the column map names no `caption`: texts need one")
    captions = caption_texts(dataset, column_map.caption)
    if not getattr(processor, "compose_text", False):
        return captions
    tags = product_tags(dataset, column_map)
    return [caption and processor.compose(caption, [row])[0] for caption, row in zip(captions, tags, strict=True)]


class ProductDataset(torch.utils.data.Dataset):
    """Dataset of the products of one split, with one view of each: drawn again each epoch, or always the first.

    A warning says how many texts are longer than the tokenizer lets them be, which the batches cut.

    Args:
        dataset (`Dataset`): the split.
        column_map (`ColumnMap`): its columns.
        photos (`PhotoCache`): the photos of the same rows.
        processor (`E2Processor`): composes the texts.
        view_seed (`int`, *optional*): seed of the views; `None` always takes the first view.
    """

    def __init__(
        self,
        dataset: Dataset,
        column_map: ColumnMap,
        photos: PhotoCache,
        processor: ProcessorMixin,
        view_seed: int | None = None,
    ):
        self.photos = photos
        self.titles = caption_texts(dataset, column_map.caption)
        self.texts = product_texts(dataset, column_map, processor)
        self.tags = product_tags(dataset, column_map)
        tags = {tag: None for row in self.tags for tag in row.values() if tag}
        tokenizer = processor.tokenizer  # the batches cut without a word
        warn_of_long_texts(tokenizer, [*filter(None, self.texts), *tags], tokenizer.model_max_length)
        self.view_seed = view_seed
        self.epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """Choose the epoch whose views are drawn; an epoch has the same views whatever was read before."""
        self.epoch = epoch

    def __len__(self) -> int:
        return len(self.texts)

    def __getitem__(self, row: int) -> dict[str, Any]:
        photo = self.photos.photo(row, self._view(row))
        return {"photo": torch.from_numpy(photo.copy()), "text": self.texts[row], "tags": self.tags[row]}

    def _view(self, row: int) -> int:
        views = self.photos.num_views(row)
        if self.view_seed is None or views == 1:
            return 0
        key = f"{self.view_seed}/{self.epoch}/{row}".encode()
        return int.from_bytes(hashlib.blake2b(key, digest_size=8).digest(), "big") % views


class ProductCollator:
    """Collate products to a batch: normalise pixels, tokenise texts and tags.

    Args:
        processor (`E2Processor`): its tokenizer, its tags, and the mean and standard deviation of its images.
        with_tags (`bool`): whether the model learns from tags.
        stack (`Callable`, *optional*): makes `pixel_values` of photos. Default: normalises pixels.
    """

    def __init__(
        self,
        processor: ProcessorMixin,
        with_tags: bool,
        stack: Callable[[Sequence[Tensor]], Tensor] | None = None,
    ):
        self.processor, self.with_tags = processor, with_tags
        self.stack = stack or PixelNormaliser(processor.image_processor)

    def __call__(self, products: Sequence[dict[str, Any]]) -> dict[str, Tensor]:
        """Collate B products.

        Args:
            products (`Sequence[dict[str, Any]]`): items of a `ProductDataset`.

        Returns:
            `dict[str, torch.Tensor]`: `pixel_values` (B, 3, H, W), `input_ids`, `attention_mask` (B, L) and, with
            tags, `tag_input_ids`, `tag_attention_mask` (B, E, L'), `tag_ids` (B, E). Masks only where the text tower
            reads them.
        """
        tokenizer, texts = self.processor.tokenizer, [product["text"] for product in products]
        padding = {"padding": self.processor.text_padding, "return_tensors": "pt"}
        tokens = tokenize(tokenizer, texts, tokenizer.model_max_length, **padding)
        batch = {"pixel_values": self.stack([product["photo"] for product in products]), **tokens}
        if self.with_tags:
            batch |= self.processor.encode_tags([product["tags"] for product in products])
        return batch
