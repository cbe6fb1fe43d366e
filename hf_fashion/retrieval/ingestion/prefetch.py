"""Embeds photos of a catalogue batch by batch, while threads decode the next ones."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple, TypeVar

from PIL import Image
from torch import Tensor

from ...embedding.encoder import Encoder
from .catalogue import Catalogue, photo_hash
from .photo_budget import PhotoBudget


Item = TypeVar("Item")
Result = TypeVar("Result")

# Threads that decode and resize photos while the model computes.
DECODING_THREADS = min(4, os.cpu_count() or 1)
# Pixels that they hold in full size together: two photos of 24 megapixels, or about 0.2 GB.
DECODED_PIXELS = 50_000_000


class EmbeddedBatch(NamedTuple):
    """Embeddings of a batch, (B, d) for each space, and B hashes of the bytes that its photos were decoded from: of a
    photo that is replaced meanwhile, the next comparison notices it."""

    vectors: dict[str, Tensor]
    photo_hashes: list[str]


def embedded_batches(
    encoder: Encoder, catalogue: Catalogue, batches: Sequence[Sequence[int]]
) -> Iterator[EmbeddedBatch]:
    """Yield the embeddings of each batch.

    Args:
        encoder ([`Encoder`]): of the gallery's model.
        catalogue (`Catalogue`): the products.
        batches (`Sequence[Sequence[int]]`): the rows of each batch.

    Raises:
        ValueError: a photo cannot be read.
    """

    budget = PhotoBudget(DECODED_PIXELS)

    def prepared(rows: Sequence[int]) -> tuple[list[str], dict[str, Tensor]]:
        hashes: list[str] = []

        def photos() -> Iterator[Image.Image]:
            for row in rows:
                encoded = catalogue.encoded_photo(row)
                hashes.append(photo_hash(encoded))
                with budget.held(encoded):  # until the next photo is asked for
                    yield catalogue.decode_photo(row, encoded)

        return hashes, encoder.prepare_photos(photos())

    for hashes, inputs in _ahead(prepared, batches):
        yield EmbeddedBatch(encoder.embed_photos(inputs), hashes)


def in_batches(rows: Sequence[int], batch_size: int) -> list[Sequence[int]]:
    """Cut rows into batches; the last one may be smaller.

    Args:
        rows (`Sequence[int]`): numbers of rows.
        batch_size (`int`): rows a batch.
    """
    return [rows[start : start + batch_size] for start in range(0, len(rows), batch_size)]


def _ahead(function: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[Result]:
    """`map(function, items)`, computed by threads a few items ahead of the caller."""
    waiting: deque = deque()
    with ThreadPoolExecutor(DECODING_THREADS) as threads:
        try:
            for item in items:
                waiting.append(threads.submit(function, item))
                if len(waiting) > DECODING_THREADS:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:  # also where the caller stops asking
            for late in waiting:
                late.cancel()
