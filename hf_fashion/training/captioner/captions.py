"""Training data of captioners: captions and their embeddings, and the photos to validate on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from datasets import Dataset
from torch import Tensor
from transformers import PreTrainedModel, ProcessorMixin

from ...data.column_map import ColumnMap
from ...data.products import product_texts
from ...data.values import column_texts
from ...embedding.corpus import embed_images, embed_texts
from ...models.captioner.processing_captioner import CaptionerProcessor


# Photos by which the variance of CapDec's noise is estimated.
NOISE_PHOTOS = 128


@dataclass(frozen=True, eq=False)
class EmbeddedCaptions(torch.utils.data.Dataset):
    """Captions with the embeddings of what they describe: texts to train on, or photos.

    Args:
        embeds (`torch.Tensor` of shape `(N, P)`): of length 1.
        captions (`list[str]`): N captions.
        tokens (`list[list[int]]`): of the captions, from `encode_captions`.
    """

    embeds: Tensor
    captions: list[str]
    tokens: list[list[int]]

    def set_epoch(self, epoch: int) -> None:
        """Do nothing: every epoch has the same captions."""

    def __len__(self) -> int:
        return len(self.captions)

    def __getitem__(self, number: int) -> tuple[Tensor, list[int]]:
        return self.embeds[number], self.tokens[number]

    def distinct(self) -> Tensor:
        """Return the embeddings of distinct captions (D, P), in their order."""
        first = {caption: number for number, caption in reversed(list(enumerate(self.captions)))}
        return self.embeds[sorted(first.values())]


class CaptionCollator:
    """Collates captions into a batch of the model's inputs.

    Args:
        processor ([`CaptionerProcessor`]): pads the captions.
        name (`str`, *optional*, defaults to `"text_embeds"`): `"text_embeds"` or `"image_embeds"`.
    """

    def __init__(self, processor: CaptionerProcessor, name: str = "text_embeds"):
        self.processor, self.name = processor, name

    def __call__(self, items: Sequence[tuple[Tensor, list[int]]]) -> dict[str, Tensor]:
        """Return embeddings (B, P), `input_ids` and `labels` (B, L).

        Args:
            items (`Sequence`): of [`EmbeddedCaptions`].
        """
        embeds = torch.stack([embed for embed, _ in items])
        return {self.name: embeds, **self.processor.pad_captions([tokens for _, tokens in items])}


def with_captions(split: Dataset, column_map: ColumnMap) -> Dataset:
    """Return the rows of a split that have a caption.

    Args:
        split (`Dataset`): rows.
        column_map (`ColumnMap`): names the caption.
    """
    captions = column_texts(split, column_map.caption)
    return split.select([row for row, caption in enumerate(captions) if caption])


def text_captions(
    split: Dataset,
    column_map: ColumnMap,
    embedder: tuple[PreTrainedModel, ProcessorMixin],
    processor: CaptionerProcessor,
) -> EmbeddedCaptions:
    """Embed the captions of a split, as the embedding model reads texts.

    Args:
        split (`Dataset`): rows with captions; no photo is read.
        column_map (`ColumnMap`): names the caption.
        embedder (`tuple[PreTrainedModel, ProcessorMixin]`): the embedding model and its processor.
        processor ([`CaptionerProcessor`]): of the captioner.
    """
    embeds, _ = embed_texts(*embedder, product_texts(split, column_map, embedder[1]), progress=False)
    captions = column_texts(split, column_map.caption)
    return EmbeddedCaptions(embeds, captions, processor.encode_captions(captions))


def photo_captions(
    split: Dataset,
    column_map: ColumnMap,
    embedder: tuple[PreTrainedModel, ProcessorMixin],
    processor: CaptionerProcessor,
) -> EmbeddedCaptions:
    """Embed the photos of a split, with their captions, to validate on.

    Args:
        split (`Dataset`): rows with photos and captions.
        column_map (`ColumnMap`): names both.
        embedder (`tuple[PreTrainedModel, ProcessorMixin]`): the embedding model and its processor.
        processor ([`CaptionerProcessor`]): of the captioner.
    """
    embeds = embed_images(*embedder, split, column_map.image, progress=False)["image_embeds"]
    captions = column_texts(split, column_map.caption)
    return EmbeddedCaptions(embeds, captions, processor.encode_captions(captions))


def noise_variance(
    train: Dataset, texts: EmbeddedCaptions, column_map: ColumnMap, embedder: tuple[PreTrainedModel, ProcessorMixin]
) -> float:
    """Estimate the variance with which CapDec's noise is as long as the mean distance of photos to their captions.

    CapDec takes the mean largest difference in a coordinate between captions of one photo, of fifteen photos. A
    catalogue has one caption a photo, so that the photos themselves are compared, 128 of the train split.

    Args:
        train (`Dataset`): rows with photos.
        texts ([`EmbeddedCaptions`]): their captions.
        column_map (`ColumnMap`): names the photo.
        embedder (`tuple[PreTrainedModel, ProcessorMixin]`): the embedding model and its processor.
    """
    rows = torch.linspace(0, len(train) - 1, min(NOISE_PHOTOS, len(train))).long()
    photos = embed_images(*embedder, train.select(rows), column_map.image, progress=False)["image_embeds"]
    return (photos - texts.embeds[rows]).square().mean().item()


def facts(parts: Mapping[str, EmbeddedCaptions]) -> str:
    """Return how many captions there are, and the mean number of their tokens.

    Args:
        parts (`Mapping[str, EmbeddedCaptions]`): name -> captions.
    """
    return ", ".join(
        f"{name}: {len(part)} captions of {sum(map(len, part.tokens)) / len(part):.1f} tokens"
        for name, part in parts.items()
    )
