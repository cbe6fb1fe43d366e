"""From a corpus and a processor to the batches that `embed_batches` takes, and to integer labels."""

import hashlib
from collections.abc import Hashable, Iterable, Sequence

import torch
from datasets import Dataset
from torch import Tensor
from torch.utils.data import DataLoader
from transformers import PreTrainedModel, ProcessorMixin

from ..images import encoded_images, read_bytes
from .batches import embed_batches


def embed_images(
    model: PreTrainedModel,
    processor: ProcessorMixin,
    dataset: Dataset,
    image_column: str = "image",
    batch_size: int = 64,
    num_workers: int = 0,
    progress: bool = True,
) -> dict[str, Tensor]:
    """Embeds the photo of every row, the first where a row holds several views.

    Args:
        model: E2 or CLIP.
        processor: its processor, of which `image_processor` is used.
        dataset: N rows.
        image_column: its column of photos, an `Image` or a list of them.
        batch_size: photos a forward pass.
        num_workers: processes that decode photos beside this one.
        progress: whether to show a progress bar.

    Returns:
        As `embed_batches`: `image_embeds` (N, P) and, for E2, `region_embeds` (N, E, P) and `selections_i` (N, E * n).

    Raises:
        ValueError: the column is not in the dataset, or the dataset is empty.
    """
    if image_column not in dataset.column_names:
        raise ValueError(f"no column {image_column!r} for the photos, the corpus has {sorted(dataset.column_names)}")

    def collate(rows: list[dict]) -> dict[str, Tensor]:
        photos = [first_view(row[image_column]).convert("RGB") for row in rows]
        return {"pixel_values": processor.image_processor(photos, return_tensors="pt")["pixel_values"]}

    photos = dataset.select_columns(image_column)
    loader = DataLoader(photos, batch_size=batch_size, collate_fn=collate, num_workers=num_workers)
    return embed_batches(model, loader, "images", progress)


def embed_texts(
    model: PreTrainedModel,
    processor: ProcessorMixin,
    texts: Sequence[str],
    batch_size: int = 256,
    progress: bool = True,
) -> tuple[Tensor, Tensor]:
    """Embeds strings as they are.

    Args:
        model: E2 or CLIP.
        processor: its processor, of which `tokenizer` is used.
        texts: T strings.
        batch_size: strings a forward pass.
        progress: whether to show a progress bar.

    Returns:
        Embeddings float32 (T, P), L2-normalised, and integers (T,) that are equal where the model sees equal tokens,
        as it may for texts that differ by letter case or beyond the longest length.

    Raises:
        ValueError: there is no text.
    """
    max_length = model.config.text_config.max_position_embeddings
    tokens = processor.tokenizer(list(texts), truncation=True, max_length=max_length)
    batches = (
        processor.tokenizer.pad(
            {name: rows[start : start + batch_size] for name, rows in tokens.items()}, return_tensors="pt"
        )
        for start in range(0, len(texts), batch_size)
    )
    return embed_batches(model, batches, "texts", progress)["text_embeds"], equality_ids(map(tuple, tokens.input_ids))


def photo_ids(dataset: Dataset, image_column: str = "image") -> Tensor:
    """Integers (N,) that are equal where the first views of two rows are the same file, byte for byte.

    Raises:
        ValueError: a row has no photo.
    """
    digests = []
    for row, views in enumerate(encoded_images(dataset, image_column)):
        if not views or views[0] is None:
            raise ValueError(
                f"row {row} has no photo in column {image_column!r}; drop such rows before the evaluation"
            )
        digests.append(hashlib.blake2b(read_bytes(views[0]), digest_size=16).digest())
    return equality_ids(digests)


def equality_ids(values: Iterable[Hashable]) -> Tensor:
    """Integers from 0, in order of first appearance, equal where the values are: int64 (N,)."""
    ids: dict[Hashable, int] = {}
    return torch.tensor([ids.setdefault(value, len(ids)) for value in values], dtype=torch.long)


def first_view(photo):
    """A row's photo, the first where it holds several views of one product."""
    return photo[0] if isinstance(photo, list) else photo
