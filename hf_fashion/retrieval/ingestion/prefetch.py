"""Photos of a catalogue, embedded batch by batch while the next ones are decoded."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from torch import Tensor

from ...embedding.photo_embedder import PhotoEmbedder
from .catalogue import Catalogue


Item = TypeVar("Item")
Result = TypeVar("Result")

# They decode and resize while the model computes.
DECODING_THREADS = min(4, os.cpu_count() or 1)


def embedded_batches(
    embedder: PhotoEmbedder, catalogue: Catalogue, batches: Sequence[Sequence[int]]
) -> Iterator[dict[str, Tensor]]:
    """The vectors of each batch, (B, d) for each space.

    Args:
        embedder (`PhotoEmbedder`): computes the vectors.
        catalogue (`Catalogue`): the products.
        batches (`Sequence[Sequence[int]]`): the rows of each batch.

    Raises:
        ValueError: a photo cannot be read.
    """

    def prepared(rows: Sequence[int]) -> dict[str, Tensor]:
        return embedder.prepare([catalogue.photo(row) for row in rows])

    for inputs in _ahead(prepared, batches):
        yield embedder.embed(inputs)


def in_batches(rows: Sequence[int], batch_size: int) -> list[Sequence[int]]:
    """Rows in batches, the last of which may be smaller."""
    return [rows[start : start + batch_size] for start in range(0, len(rows), batch_size)]


def _ahead(function: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[Result]:
    """`map(function, items)`, computed by threads a few items ahead of what is asked for."""
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
