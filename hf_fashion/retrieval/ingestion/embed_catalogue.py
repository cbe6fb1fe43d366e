"""Embeds a catalogue into a gallery, batch by batch, and goes on where a killed run stopped."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import pyarrow as pa
from torch import Tensor
from tqdm.auto import tqdm
from transformers.utils import logging

from ...embedding.encoder import Encoder
from ..schema import ID, PHOTO_HASH, GallerySchema
from .catalogue import Catalogue
from .differences import Differences, find_differences
from .prefetch import EmbeddedBatch, embedded_batches, in_batches
from .processes import Processes


logger = logging.get_logger(__name__)


class Fillable(Protocol):
    """The calls of a [`Gallery`] that are needed to fill it."""

    schema: GallerySchema

    def products(self) -> pa.Table: ...

    def check_rows(self, rows: pa.Table) -> None: ...

    def add(
        self,
        ids: Sequence[str],
        vectors: Mapping[str, Tensor],
        metadata: Mapping[str, Sequence[Any]],
        photo_hashes: Sequence[str],
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
    """Embed and add the products whose ids are not in the gallery yet; warn where the others differ.

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

    def missing() -> list[int]:
        found = find_differences(gallery.products(), gallery.schema, catalogue, gallery.check_rows, progress)
        _warn_of_changes(found, catalogue, gallery.schema.photo_hashes)
        return found.new

    rows = processes.exchange(processes.attempt(missing) if processes.is_main else None)[0]
    processes.agree()
    embed_rows(gallery, encoder, catalogue, rows, batch_size, progress, processes)
    if rows and processes.is_main:
        _warn_of_same_photos(gallery, catalogue)


def embed_rows(
    gallery: Fillable,
    encoder: Encoder,
    catalogue: Catalogue,
    rows: Sequence[int],
    batch_size: int,
    progress: bool,
    processes: Processes,
) -> None:
    """Embed some products and add or replace them. Every batch is one commit.

    Batches follow the order of the rows: a run that goes on after a kill embeds the same batches, and so the same
    vectors to the last bit, as a run without the kill. Of P processes each embeds every P-th batch; the main one
    commits them in their order, while the others embed their next ones.

    Args:
        gallery ([`Fillable`]): with the catalogue's metadata columns and the encoder's spaces.
        encoder ([`Encoder`]): of the gallery's model.
        catalogue (`Catalogue`): the products.
        rows (`Sequence[int]`): their numbers in the catalogue, the same in all processes.
        batch_size (`int`): photos a forward pass.
        progress (`bool`): whether to show a bar.
        processes (`Processes`): those that call this together, each with the same catalogue.

    Raises:
        ValueError: a photo cannot be read; the batches before it are in the gallery. Or the processes have different
            catalogues.
    """
    _require_same_catalogue(catalogue, processes)
    batches = in_batches(rows, batch_size)
    embedded = embedded_batches(encoder, catalogue, batches[processes.index :: processes.number])
    done = len(catalogue) - len(rows)
    hidden = not (progress and processes.is_main)
    with tqdm(total=len(catalogue), initial=done, desc="embedding", unit="photo", disable=hidden) as bar:
        for start in range(0, len(batches), processes.number):
            side_by_side = batches[start : start + processes.number]  # in the last round some processes have none
            parts = processes.exchange(processes.attempt(next, embedded, None))[: len(side_by_side)]
            if processes.is_main:
                processes.attempt(_commit, gallery, catalogue, side_by_side, parts, bar)
            if None in parts:
                break
        else:
            if batches and processes.is_main:
                processes.attempt(gallery.compact)
    processes.agree()  # and none ends before the main process has committed what came before an error


def _commit(
    gallery: Fillable,
    catalogue: Catalogue,
    batches: Sequence[Sequence[int]],
    parts: Sequence[EmbeddedBatch | None],
    bar: tqdm,
) -> None:
    """Add batches up to the first one that could not be embedded, which is `None`."""
    for rows, part in zip(batches, parts, strict=True):
        if part is None:
            return
        gallery.add([catalogue.ids[row] for row in rows], part.vectors, catalogue.metadata(rows), part.photo_hashes)
        bar.update(len(rows))


def _warn_of_changes(found: Differences, catalogue: Catalogue, photos_compared: bool) -> None:
    changes = {
        "have another photo": [catalogue.ids[row] for row in found.photos],
        "have other metadata": [catalogue.ids[row] for row in found.metadata],
        "are not in the catalogue": found.gone,
    }
    parts = [f"{len(ids):,} {what} (such as {ids[0]!r})" for what, ids in changes.items() if ids]
    if parts:
        logger.warning(
            f"only new products are embedded; of those in the gallery {', '.join(parts)}. `Gallery.sync` or "
            "`hf-fashion sync` makes the gallery follow its catalogue"
        )
    if not photos_compared:
        logger.warning(
            "the gallery was made by an earlier version, which kept no hashes of photos: whether photos have changed "
            "cannot be told"
        )


def _warn_of_same_photos(gallery: Fillable, catalogue: Catalogue) -> None:
    """Say how many products cannot be told apart, because they have the same photo."""
    if not gallery.schema.photo_hashes:
        return
    products = gallery.products()
    hash_of = dict(zip(products[ID].to_pylist(), products[PHOTO_HASH].to_pylist(), strict=True))
    with_photo: dict[str, list[int]] = {}
    for row, product_id in enumerate(catalogue.ids):
        if hash_of.get(product_id):
            with_photo.setdefault(hash_of[product_id], []).append(row)
    groups = [rows for rows in with_photo.values() if len(rows) > 1]
    if groups:
        first, second = catalogue.places(groups[0][:2])
        logger.warning(
            f"{sum(map(len, groups)):,} products have the photo of another product, byte for byte, and so the same "
            f"vector, such as {first} and {second}"
        )


def _require_same_catalogue(catalogue: Catalogue, processes: Processes) -> None:
    known = hashlib.sha256("\0".join(catalogue.ids).encode()).hexdigest()
    if len(set(processes.exchange(known))) > 1:
        raise ValueError(
            f"`dataset` must be the same on all {processes.number} processes, which share its batches among "
            "themselves, but their ids differ: give each of them all rows, in the same order"
        )
