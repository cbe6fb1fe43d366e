"""Finds where a catalogue differs from the gallery that was made of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
from tqdm.auto import tqdm

from ..large_texts import with_large_texts
from ..metadata_column import MisfitError
from ..schema import ID, PHOTO_HASH, GallerySchema
from .catalogue import Catalogue


BLOCK_ROWS = 1000  # compared at a time


@dataclass(frozen=True)
class Differences:
    """Rows of a catalogue, counted from 0, that a gallery does not hold as they are, and what only the gallery holds.

    Args:
        new (`list[int]`): rows whose ids the gallery does not have.
        photos (`list[int]`): rows whose photo is not the one that was embedded, or was embedded without its hash.
        metadata (`list[int]`): rows with the same photo and other metadata.
        gone (`list[str]`): ids that the catalogue does not have.
        unchanged (`int`): number of the other rows.
    """

    new: list[int]
    photos: list[int]
    metadata: list[int]
    gone: list[str]
    unchanged: int


def find_differences(
    stored: pa.Table,
    schema: GallerySchema,
    catalogue: Catalogue,
    check_rows: Callable[[pa.Table], None],
    progress: bool,
) -> Differences:
    """Compare all products of a catalogue with those of a gallery. Photos are read, but not decoded.

    Args:
        stored (`pyarrow.Table`): ids, metadata and, where the gallery has them, photos' hashes of all its products.
        schema (`GallerySchema`): the gallery's.
        catalogue (`Catalogue`): with the gallery's metadata columns.
        check_rows (`Callable`): raises [`MisfitError`] where the gallery's store cannot keep ids and metadata.
        progress (`bool`): whether to show a bar.

    Raises:
        ValueError: a photo cannot be read, or a value is not of the type of its column in the gallery, or is beyond a
            limit of its store.
    """
    places = {product_id: place for place, product_id in enumerate(stored[ID].to_pylist())}
    new = [row for row, product_id in enumerate(catalogue.ids) if product_id not in places]
    known = [row for row, product_id in enumerate(catalogue.ids) if product_id in places]
    photos, metadata = set(), set()
    stored = with_large_texts(stored).combine_chunks()  # once: `take` would join the chunks for every block
    for start in range(0, len(new), BLOCK_ROWS):  # before the first is embedded
        _fitting(new[start : start + BLOCK_ROWS], schema, catalogue, check_rows)
    with tqdm(total=len(known), desc="comparing", unit="product", disable=not (progress and known)) as bar:
        for start in range(0, len(known), BLOCK_ROWS):
            rows = known[start : start + BLOCK_ROWS]
            there = stored.take([places[catalogue.ids[row]] for row in rows])
            here = _fitting(rows, schema, catalogue, check_rows)
            metadata.update(_where(rows, _records(there, schema), _records(here, schema)))
            if schema.photo_hashes:
                photos.update(_where(rows, there[PHOTO_HASH].to_pylist(), catalogue.photo_hashes(rows)))
            bar.update(len(rows))
    gone = sorted(places.keys() - set(catalogue.ids))
    unchanged = len(known) - len(photos | metadata)
    return Differences(new, sorted(photos), sorted(metadata - photos), gone, unchanged)


def _fitting(
    rows: Sequence[int], schema: GallerySchema, catalogue: Catalogue, check_rows: Callable[[pa.Table], None]
) -> pa.Table:
    """Ids and metadata of rows, as columns of the gallery; an error names the row as its source does."""
    try:
        table = schema.changes([catalogue.ids[row] for row in rows], catalogue.metadata(rows))
        check_rows(table)
        return table
    except MisfitError as error:
        raise error.at(catalogue.places([rows[error.row]])[0]) from error


def _records(table: pa.Table, schema: GallerySchema) -> list[dict[str, Any]]:
    return table.select([ID, *schema.metadata.names]).to_pylist()


def _where(rows: Sequence[int], there: Iterable[Any], here: Iterable[Any]) -> list[int]:
    """The rows whose two values differ."""
    return [row for row, one, other in zip(rows, there, here, strict=True) if one != other]
