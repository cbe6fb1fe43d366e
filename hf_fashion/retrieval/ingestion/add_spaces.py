"""Copies a gallery into another that has spaces for new attributes too; only these are embedded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import replace
from typing import Any

import pyarrow as pa
from tqdm.auto import tqdm
from transformers import PreTrainedModel

from ...embedding.capabilities import attribute_names
from ...embedding.encoder import Encoder
from ...messages import listed
from ..metadata_column import MisfitError
from ..schema import ID, PHOTO_HASH, GallerySchema
from ..stores.base import VectorStore
from ..vector_column import Space
from .catalogue import Catalogue
from .prefetch import EmbeddedBatch, embedded_batches, in_batches


ROWS_CHECKED = 10_000  # at a time


def split_model(model: PreTrainedModel, spaces: Sequence[str], uri: str) -> tuple[PreTrainedModel, PreTrainedModel]:
    """Return two copies of a model: with the attributes of a gallery, and with those that the gallery lacks.

    Args:
        model (`PreTrainedModel`): an attribute-specific model.
        spaces (`Sequence[str]`): spaces of the gallery.
        uri (`str`): where the gallery is, for errors.

    Raises:
        ValueError: the model is no attribute-specific one, lacks a space of the gallery, or has no more than these.
    """
    names = attribute_names(model)
    missing = [space for space in spaces if space not in names]
    new = [name for name in names if name not in spaces]
    if missing or not new:
        what = f"lacks its space {missing[0]!r}" if missing else "has no attribute that it lacks"
        raise ValueError(
            f"the gallery at {uri} has the spaces {list(spaces)}, and `model` {what} (its attributes: "
            f"{names or 'none'}). Give the gallery's model after `model.add_attribute`"
        )
    return deepcopy(model).keep_attributes(list(spaces)), deepcopy(model).keep_attributes(new)


def new_spaces_hint(model: PreTrainedModel, spaces: Sequence[str]) -> str:
    """Return what to do if a model is a gallery's with attributes added, for errors; `""` where it cannot be.

    Args:
        model (`PreTrainedModel`): any model.
        spaces (`Sequence[str]`): spaces of the gallery.
    """
    names = attribute_names(model)
    new = [name for name in names if name not in spaces]
    if not new or not set(spaces) <= set(names):
        return ""
    return (
        f". If it is the gallery's model with {', '.join(map(repr, new))} added, `Gallery.add_spaces` (hf-fashion "
        "add-spaces) copies the gallery and embeds only what is new"
    )


def check_products(products: pa.Table, catalogue: Catalogue, uri: str) -> None:
    """Raise if products of a gallery are not in the catalogue: each needs a vector in the new spaces.

    Args:
        products (`pyarrow.Table`): ids of the gallery's products.
        catalogue (`Catalogue`): the catalogue.
        uri (`str`): where the gallery is, for errors.

    Raises:
        ValueError: some of the ids are named.
    """
    gone = sorted(set(products[ID].to_pylist()) - set(catalogue.ids))
    if gone:
        head = (
            f"{len(gone):,} products of the gallery at {uri} are not in the catalogue, so that there is no photo to "
            "embed. Give the whole catalogue, or delete them first (`Gallery.delete`, `hf-fashion sync "
            "--delete_missing` with the gallery's own model)"
        )
        raise ValueError(listed(head, gone))


def copy_with_spaces(
    source: VectorStore,
    target: VectorStore,
    schema: GallerySchema,
    spaces: Mapping[str, Space],
    encoder: Encoder,
    catalogue: Catalogue,
    batch_size: int,
    progress: bool,
) -> None:
    """Copy all products, whose vectors stay as they are to the last bit, and add vectors in the encoder's spaces.

    Every batch is one commit. Products that the target holds already, as the source has them, are passed over.

    Args:
        source (`VectorStore`): table of the gallery, which is only read.
        target (`VectorStore`): table of the new gallery, empty or partly filled.
        schema (`GallerySchema`): of the new gallery.
        spaces (`Mapping[str, Space]`): the new gallery's.
        encoder ([`Encoder`]): of the new spaces only.
        catalogue (`Catalogue`): with all products of the source.
        batch_size (`int`): photos in a forward pass and in a commit.
        progress (`bool`): whether to show a bar.

    Raises:
        ValueError: the target holds products that the source does not, or a photo cannot be read or is not the one
            that the gallery was embedded from, or the target's store cannot keep a value.
        RuntimeError: the source was changed meanwhile.
    """
    version = source.refresh()
    wanted, there = _records(source, schema), _records(target, schema)
    if others := sorted(there.keys() - wanted.keys()):
        head = (
            f"the gallery at {target.uri} holds {len(others):,} products that the one at {source.uri} does not: "
            "nothing was copied. They were added to the one or deleted from the other since: keep the new gallery up "
            "to date by `Gallery.sync`, or delete them from it first (`Gallery.delete`)"
        )
        raise ValueError(listed(head, others))
    _require_kept(source, target, schema)
    rows = [row for row, name in enumerate(catalogue.ids) if name in wanted and there.get(name) != wanted[name]]
    batches = in_batches(rows, batch_size)
    with tqdm(total=len(wanted), initial=len(wanted) - len(rows), unit="photo", disable=not progress) as bar:
        for batch, embedded in zip(batches, embedded_batches(encoder, catalogue, batches), strict=True):
            target.upsert(_extended(source, schema, spaces, catalogue, batch, embedded))
            bar.update(len(batch))
    if rows:
        target.compact()
    if source.refresh() != version:
        raise RuntimeError(
            f"the gallery at {source.uri} was changed meanwhile. Start again: what has changed is copied again"
        )


def _require_kept(source: VectorStore, target: VectorStore, schema: GallerySchema) -> None:
    """Raises where the store of the new gallery cannot keep metadata of the other one."""
    rows = source.read([ID, *schema.metadata.names])
    for part in (rows.slice(start, ROWS_CHECKED) for start in range(0, len(rows), ROWS_CHECKED)):
        try:
            target.check_rows(part)
        except MisfitError as error:
            raise error.at(f"product {part[ID][error.row].as_py()!r} of {source.uri}") from error


def _extended(
    source: VectorStore,
    schema: GallerySchema,
    spaces: Mapping[str, Space],
    catalogue: Catalogue,
    batch: Sequence[int],
    embedded: EmbeddedBatch,
) -> pa.Table:
    """The rows of some products as the source has them, with the new columns."""
    ids, table = [catalogue.ids[row] for row in batch], schema.to_table()
    new = [schema.column(space) for space in embedded.vectors]
    stored = source.read([name for name in table.names if name not in new], ids=ids)
    places = {product_id: place for place, product_id in enumerate(stored[ID].to_pylist())}
    if missing := [product_id for product_id in ids if product_id not in places]:
        raise RuntimeError(
            f"the gallery at {source.uri} was changed meanwhile: {missing[0]!r} is gone. Start again: what was done "
            "before is kept"
        )
    stored = stored.take([places[product_id] for product_id in ids])
    if schema.photo_hashes:
        _require_same_photos(stored, embedded.photo_hashes, source.uri)
    columns = {name: stored[name] for name in stored.column_names}
    columns |= {schema.column(name): spaces[name].to_column(rows, len(ids)) for name, rows in embedded.vectors.items()}
    return pa.Table.from_arrays([columns[name] for name in table.names], names=table.names).cast(table)


def _require_same_photos(stored: pa.Table, hashes: Sequence[str], uri: str) -> None:
    pairs = zip(stored[ID].to_pylist(), stored[PHOTO_HASH].to_pylist(), hashes, strict=True)
    others = [product_id for product_id, before, now in pairs if before is not None and before != now]
    if others:
        head = (
            f"the gallery at {uri} was embedded from other photos than the catalogue's, so that its spaces would "
            "disagree. Make it follow the catalogue first, with its own model (`Gallery.sync`, `hf-fashion sync`), "
            "and start again: what was done before is kept"
        )
        raise ValueError(listed(head, others))


def _records(store: VectorStore, schema: GallerySchema) -> dict[str, Any]:
    store.refresh()
    hashes = [PHOTO_HASH] if schema.photo_hashes else []
    rows = store.read([ID, *schema.metadata.names, *hashes]).to_pylist()
    return {row[ID]: row for row in rows}


def extended_schema(schema: GallerySchema, encoder: Encoder, fingerprint: str) -> GallerySchema:
    """Return the schema of a gallery with more spaces, behind its own; compressed as those are.

    Args:
        schema (`GallerySchema`): of the gallery.
        encoder ([`Encoder`]): of the new spaces only.
        fingerprint (`str`): of the model with all attributes.
    """
    kept = max(schema.axes.values(), default=None)
    axes = {} if kept is None else dict.fromkeys(encoder.spaces, kept)
    spaces = {**schema.spaces, **encoder.spaces}
    return replace(schema, spaces=spaces, axes={**schema.axes, **axes}, fingerprint=fingerprint)
