"""Fills a gallery with a catalogue, batch by batch, and goes on where a killed run stopped."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

from torch import Tensor
from tqdm.auto import tqdm

from .catalogue import Catalogue
from .photo_embedder import PhotoEmbedder


if TYPE_CHECKING:
    from .gallery import Gallery


Item = TypeVar("Item")
Result = TypeVar("Result")

# They decode and resize while the model computes.
DECODING_THREADS = min(4, os.cpu_count() or 1)


def embed_catalogue(
    gallery: Gallery, embedder: PhotoEmbedder, catalogue: Catalogue, batch_size: int, progress: bool
) -> None:
    """Adds the products whose ids are not in the gallery yet. Every batch is one commit.

    Batches follow the order of the rows, so that what a killed run left out makes up the same batches, and the same
    vectors to the last bit, as without the kill.

    Args:
        gallery (`Gallery`): with the catalogue's metadata columns and the embedder's spaces.
        embedder (`PhotoEmbedder`): of the gallery's model.
        catalogue (`Catalogue`): the products.
        batch_size (`int`): photos a forward pass.
        progress (`bool`): whether to show a bar.

    Raises:
        ValueError: a photo cannot be read; the batches before it are in the gallery.
    """
    present = set(gallery.ids())
    missing = [row for row, name in enumerate(catalogue.ids) if name not in present]
    done = len(catalogue) - len(missing)
    with tqdm(total=len(catalogue), initial=done, desc="embedding", unit="photo", disable=not progress) as bar:
        for rows, vectors in embedded_batches(embedder, catalogue, missing, batch_size):
            gallery.add([catalogue.ids[row] for row in rows], vectors, catalogue.metadata(rows))
            bar.update(len(rows))
    if missing:
        gallery.compact()


def embedded_batches(
    embedder: PhotoEmbedder, catalogue: Catalogue, rows: Sequence[int], batch_size: int
) -> Iterator[tuple[Sequence[int], dict[str, Tensor]]]:
    """Photos of a catalogue, embedded batch by batch; the next ones are decoded meanwhile.

    Args:
        embedder (`PhotoEmbedder`): computes the vectors.
        catalogue (`Catalogue`): the products.
        rows (`Sequence[int]`): which of them.
        batch_size (`int`): photos a forward pass.

    Yields:
        The rows of a batch and, for each space, their vectors (B, d).

    Raises:
        ValueError: a photo cannot be read.
    """
    batches = [rows[start : start + batch_size] for start in range(0, len(rows), batch_size)]

    def prepared(batch: Sequence[int]) -> tuple[Sequence[int], dict[str, Tensor]]:
        return batch, embedder.prepare([catalogue.photo(row) for row in batch])

    for batch, inputs in _ahead(prepared, batches):
        yield batch, embedder.embed(inputs)


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
