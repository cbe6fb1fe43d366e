"""Photos and texts of a corpus -> embeddings, and integers that say which are equal."""

import hashlib
from collections.abc import Callable, Hashable, Iterable, Sequence
from functools import partial
from typing import Any

import torch
from datasets import Dataset
from PIL import Image
from torch import Tensor
from torch.utils.data import DataLoader
from transformers import PreTrainedModel, ProcessorMixin

from ..data.encoded_photos import encoded_images, read_bytes
from ..data.photos.stored_photos import StoredPhotos
from ..data.sources.source_rows import name_sources
from ..messages import missing_column
from ..models.e2.texts_e2 import text_options
from ..texts import tokenize, warn_of_long_texts
from .batches import check_measurable, embed_batches
from .features import max_text_length, photo_inputs


def embed_images(
    model: PreTrainedModel,
    processor: ProcessorMixin,
    dataset: Dataset,
    image_column: str = "image",
    batch_size: int = 64,
    num_workers: int = 0,
    progress: bool = True,
) -> dict[str, Tensor]:
    """Embed the photo of every row, the first where a row holds several views.

    Args:
        model (`PreTrainedModel`): E2, FILIP or CLIP.
        processor (`ProcessorMixin`): the model's; its `image_processor` is used.
        dataset (`Dataset`): N rows.
        image_column (`str`, *optional*, defaults to `"image"`): column of photos, an `Image` or a list of them.
        batch_size (`int`, *optional*, defaults to 64): photos a forward pass.
        num_workers (`int`, *optional*, defaults to 0): additional processes that decode photos.
        progress (`bool`, *optional*, defaults to `True`): whether to show a bar.

    Returns:
        As `embed_batches`: `image_embeds` (N, P), which are `TokenEmbeds` for FILIP, and, for E2, `region_embeds`
        (N, E, P) and `selections_i` (N, E * n).

    Raises:
        ValueError: the column is not in the dataset, or the dataset is empty.
    """
    check_measurable(model.config)
    prepare = partial(photo_inputs, getattr(processor, "image_processor", processor))
    loader = photo_loader(dataset, image_column, prepare, num_workers, batch_size=batch_size)
    return embed_batches(model, loader, "images", progress)


def photo_loader(
    dataset: Dataset,
    image_column: str,
    prepare: Callable[[Iterable[Image.Image]], dict[str, Tensor]],
    num_workers: int,
    **batching: Any,
) -> DataLoader:
    """Return a loader that decodes the photos of a dataset one at a time and prepares them batch by batch.

    Args:
        dataset (`Dataset`): N rows.
        image_column (`str`): column of photos; of a list of them the first is taken.
        prepare (`Callable`): photos in RGB -> the model's inputs, such as [`Encoder.prepare_photos`].
        num_workers (`int`): additional processes that decode photos.
        batching (`Any`): `batch_size` or `batch_sampler`, as for `DataLoader`.

    Raises:
        ValueError: the column is not in the dataset.
    """
    if image_column not in dataset.column_names:
        raise ValueError(missing_column(image_column, "photos", dataset.column_names))

    photos = StoredPhotos(dataset, image_column)

    def collate(rows: list[int]) -> dict[str, Tensor]:
        return prepare(photos[row] for row in rows)

    # Its own generator: starting a loader draws a number, and a resumed run must not depend on evaluations.
    own = {"generator": torch.Generator(), "num_workers": num_workers}
    return DataLoader(range(len(photos)), collate_fn=collate, **own, **batching)


def embed_texts(
    model: PreTrainedModel,
    processor: ProcessorMixin,
    texts: Sequence[str],
    batch_size: int = 256,
    progress: bool = True,
) -> tuple[Tensor, Tensor]:
    """Embed strings as they are; one warning says how many are longer than the model reads.

    Args:
        model (`PreTrainedModel`): E2, FILIP, CLIP or SigLIP.
        processor (`ProcessorMixin`): the model's; its `tokenizer` is used.
        texts (`Sequence[str]`): T strings.
        batch_size (`int`, *optional*, defaults to 256): strings a forward pass.
        progress (`bool`, *optional*, defaults to `True`): whether to show a bar.

    Returns:
        Embeddings float32 (T, P), L2-normalised (`TokenEmbeds` for FILIP), and integers (T,), equal where the model
        reads equal tokens, as it may for texts that differ by letter case or behind the last token that it reads.

    Raises:
        ValueError: there is no text, or the model is not supported.
    """
    check_measurable(model.config)
    limit = max_text_length(model, processor.tokenizer)
    warn_of_long_texts(processor.tokenizer, texts, limit)
    options = text_options(model.config.text_config)
    padding = {"padding": options.pop("padding"), "return_tensors": "pt"} | options
    if padding["padding"] == "max_length":
        padding["max_length"] = limit
    tokens = tokenize(processor.tokenizer, texts, limit, **options)
    batches = (
        processor.tokenizer.pad({name: rows[start : start + batch_size] for name, rows in tokens.items()}, **padding)
        for start in range(0, len(texts), batch_size)
    )
    return embed_batches(model, batches, "texts", progress)["text_embeds"], equality_ids(map(tuple, tokens.input_ids))


def photo_ids(dataset: Dataset, image_column: str = "image") -> Tensor:
    """Return integers (N,) that are equal where the first views of two rows are the same file, byte for byte.

    Args:
        dataset (`Dataset`): N rows.
        image_column (`str`, *optional*, defaults to `"image"`): column of photos.

    Raises:
        ValueError: a row has no photo.
    """
    digests = []
    for row, views in enumerate(encoded_images(dataset, image_column)):
        if not views or views[0] is None:
            raise ValueError(
                f"{name_sources(dataset, [row])[0]} has no photo in column {image_column!r}; drop such rows before "
                "the evaluation"
            )
        digests.append(hashlib.blake2b(read_bytes(views[0]), digest_size=16).digest())
    return equality_ids(digests)


def equality_ids(values: Iterable[Hashable]) -> Tensor:
    """Return integers from 0, in order of first appearance, that are equal where the values are: int64 (N,).

    Args:
        values (`Iterable[Hashable]`): N values.
    """
    ids: dict[Hashable, int] = {}
    return torch.tensor([ids.setdefault(value, len(ids)) for value in values], dtype=torch.long)
