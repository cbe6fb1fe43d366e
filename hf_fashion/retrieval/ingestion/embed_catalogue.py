"""Embeds a catalogue into a gallery, batch by batch, and goes on where a killed run stopped."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from torch import Tensor
from tqdm.auto import tqdm

from ...embedding.encoder import Encoder
from .catalogue import Catalogue
from .prefetch import embedded_batches, in_batches
from .processes import Processes


class Fillable(Protocol):
    """What is filled: the calls of a [`Gallery`] that are needed for it."""

    def ids(self) -> list[str]: ...

    def add(
        self, ids: Sequence[str], vectors: Mapping[str, Tensor], metadata: Mapping[str, Sequence[Any]]
    ) -> None: ...

    def compact(self) -> None: ...


def embed_catalogue(
    gallery: Fillable,
    encoder: Encoder,
    catalogue: Catalogue,
    batch_size: int,
    progress: bool,
    processes: Processes,
) -> None:
    """Embed and add the products whose ids are not in the gallery yet. Every batch is one commit.

    Batches follow the order of the rows: a run that goes on after a kill embeds the same batches, and so the same
    vectors to the last bit, as a run without the kill. Of P processes each embeds every P-th batch; the main one
    commits them in their order, while the others embed their next ones.

    Args:
        gallery ([`Fillable`]): with the catalogue's metadata columns and the encoder's spaces.
        encoder ([`Encoder`]): of the gallery's model.
        catalogue (`Catalogue`): the products.
        batch_size (`int`): photos a forward pass.
        progress (`bool`): whether to show a bar.
        processes (`Processes`): those that call this together, each with the same catalogue.

    Raises:
        ValueError: a photo cannot be read; the batches before it are in the gallery. Or the processes have different
            catalogues.
    """
    batches = _missing_batches(gallery, catalogue, batch_size, processes)
    embedded = embedded_batches(encoder, catalogue, batches[processes.index :: processes.number])
    done = len(catalogue) - sum(map(len, batches))
    hidden = not (progress and processes.is_main)
    with tqdm(total=len(catalogue), initial=done, desc="embedding", unit="photo", disable=hidden) as bar:
        for start in range(0, len(batches), processes.number):
            side_by_side = batches[start : start + processes.number]  # in the last round some processes have none
            vectors = processes.exchange(processes.attempt(next, embedded, None))[: len(side_by_side)]
            if processes.is_main:
                processes.attempt(_commit, gallery, catalogue, side_by_side, vectors, bar)
            if None in vectors:
                break
        else:
            if batches and processes.is_main:
                processes.attempt(gallery.compact)
    processes.agree()  # and none ends before the main process has committed what came before an error


def _commit(
    gallery: Fillable,
    catalogue: Catalogue,
    batches: Sequence[Sequence[int]],
    vectors: list[dict[str, Tensor] | None],
    bar: tqdm,
) -> None:
    """Add batches up to the first one that could not be embedded, whose vectors are `None`."""
    for rows, part in zip(batches, vectors, strict=True):
        if part is None:
            return
        gallery.add([catalogue.ids[row] for row in rows], part, catalogue.metadata(rows))
        bar.update(len(rows))


def _missing_batches(
    gallery: Fillable, catalogue: Catalogue, batch_size: int, processes: Processes
) -> list[Sequence[int]]:
    """The rows of each batch. The main process finds them for all, so that all cut the same batches."""

    def missing_batches() -> list[Sequence[int]]:
        present = set(gallery.ids())
        missing = [row for row, product_id in enumerate(catalogue.ids) if product_id not in present]
        return in_batches(missing, batch_size)

    known = hashlib.sha256("\0".join(catalogue.ids).encode()).hexdigest()
    plans = processes.exchange((known, processes.attempt(missing_batches) if processes.is_main else None))
    processes.agree()
    if len({known for known, _ in plans}) > 1:
        raise ValueError(
            f"`dataset` must be the same on all {processes.number} processes, which share its batches among "
            "themselves, but their ids differ: give each of them all rows, in the same order"
        )
    return plans[0][1]
