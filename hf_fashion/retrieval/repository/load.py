"""Loads a saved gallery into a gallery's table, and goes on where a killed run stopped."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from huggingface_hub.utils import tqdm
from safetensors.numpy import load_file
from transformers.utils import logging

from ...files import sha256_of
from ..large_texts import with_large_texts
from ..metadata_column import MisfitError, cleaned
from ..schema import ID, PHOTO_HASH, GallerySchema
from ..stored_axes import read_spaces
from ..stores.base import VectorStore
from ..stores.conditions.values import is_text
from .manifest import ATTACHMENTS, GalleryManifest, damaged


logger = logging.get_logger(__name__)

BATCH_ROWS = 10_000  # in memory at a time, and in a commit
BATCH_BYTES = 1 << 28  # of the texts of these rows


class SavedGallery:
    """A folder that [`save_gallery`] wrote, with every file as it was written.

    Args:
        folder (`Path`): the folder.

    Raises:
        FileNotFoundError: it is no saved gallery, or a file of it is missing.
        OSError: a file is damaged.
        ValueError: a newer version of hf_fashion wrote it.
    """

    def __init__(self, folder: Path):
        self.folder = folder
        self.manifest = GalleryManifest.read(folder)
        for name, expected in self.manifest.sha256.items():
            if not (folder / name).is_file():
                raise FileNotFoundError(f"{folder / name} is missing. Download, save or push the gallery again")
            if sha256_of(folder / name) != expected:
                raise damaged(folder / name, "its content differs from its hash in gallery.json")
        self._check_rows()
        read_spaces(self.manifest.schema, self.attachments, str(folder))  # raises before anything is written

    def _check_rows(self) -> None:
        for name, rows in self.manifest.shards.items():
            try:
                found = pq.read_metadata(self.folder / name).num_rows
            except (pa.ArrowException, OSError) as error:
                raise damaged(self.folder / name, str(error)) from error
            if found != rows:
                raise damaged(self.folder / name, f"it has {found} products, by gallery.json {rows}")

    @cached_property
    def attachments(self) -> dict[str, bytes]:
        """What the gallery's store keeps next to the table."""
        if ATTACHMENTS not in self.manifest.sha256:
            return {}
        return {name: value.tobytes() for name, value in load_file(self.folder / ATTACHMENTS).items()}

    def table(self) -> pa.Schema:
        """Return the schema of the gallery's table."""
        return self.manifest.schema.to_table()

    def copy_to(self, store: VectorStore) -> None:
        """Add the products whose ids are not in the table yet, one commit a batch, and warn where the others differ.

        Args:
            store (`VectorStore`): a table that was made for this gallery, empty or partly filled.

        Raises:
            ValueError: the table has another model's vectors, other columns or other attachments, or its store cannot
                keep a value; the products before it are in the table.
        """
        self._require_alike(store)
        store.refresh()
        present = _Present(store, self.manifest.schema)
        added = 0
        with tqdm(total=self.manifest.products, desc="loading", unit="product") as bar:
            for rows in self._batches():
                missing = present.missing_of(rows)
                if len(missing):
                    self._add(missing, store)
                added += len(missing)
                bar.update(len(rows))
        present.warn_of_differences(store.uri, self.folder)
        if added:
            store.compact()

    def _add(self, rows: pa.Table, store: VectorStore) -> None:
        try:
            store.upsert(rows)
        except MisfitError as error:
            raise error.at(f"product {rows[ID][error.row].as_py()!r} of {self.folder}") from error

    def _batches(self) -> Iterator[pa.Table]:
        """Rows as the gallery's table has them."""
        for path in self.manifest.shards:
            try:
                yield from self._batches_of(self.folder / path)
            except (pa.ArrowException, OSError, KeyError) as error:  # the hash in a manifest may have been made to fit
                raise damaged(self.folder / path, str(error)) from error

    def _batches_of(self, path: Path) -> Iterator[pa.Table]:
        names, table = self.manifest.file_schema().names, self.table()
        texts = [field.name for field in self.manifest.schema.metadata if is_text(field.type)]
        # A text that many rows share is stored once, and would be in memory for each row.
        with pq.ParquetFile(path, read_dictionary=texts) as file:
            for batch in file.iter_batches(BATCH_ROWS, columns=names):
                rows = pa.Table.from_batches([batch]).select(names).rename_columns(table.names)
                step = max(1, BATCH_BYTES // max(1, sum(_longest(rows[name]) for name in texts)))
                for start in range(0, len(rows), step):
                    yield self._cleaned(rows.slice(start, step).cast(table), path)

    def _cleaned(self, rows: pa.Table, path: Path) -> pa.Table:
        for field in self.manifest.schema.metadata:
            try:
                column = cleaned(field, rows[field.name])
            except ValueError as error:
                raise ValueError(f"{path}: {error}") from error
            rows = rows.set_column(rows.schema.get_field_index(field.name), field, column)
        return rows

    def _require_alike(self, store: VectorStore) -> None:
        there, here = GallerySchema.from_table(store.schema), self.manifest.schema
        if there.fingerprint != here.fingerprint:
            raise ValueError(
                f"the gallery at {store.uri} was embedded by {there.fingerprint}, the one in {self.folder} by "
                f"{here.fingerprint}: their vectors cannot be compared. Load it to another place"
            )
        there.require_same_columns(here, store.uri)
        if there != here or store.attachments() != self.attachments:
            raise ValueError(
                f"the gallery at {store.uri} stores its vectors in another way than the one in {self.folder}. Load "
                "it to another place"
            )


class _Present:
    """The products that a table has already, which stay as they are, and where they differ from the saved ones."""

    def __init__(self, store: VectorStore, schema: GallerySchema):
        self._hashes = [PHOTO_HASH] if schema.photo_hashes else []
        self._columns = [ID, *schema.metadata.names]
        self._stored = with_large_texts(store.read([*self._columns, *self._hashes])).combine_chunks()
        self._places = {product_id: place for place, product_id in enumerate(self._stored[ID].to_pylist())}
        self._gone = set(self._places)
        self._metadata: list[str] = []  # ids with other values
        self._photos: list[str] = []

    def missing_of(self, rows: pa.Table) -> pa.Table:
        """The saved rows that the table lacks; the others are compared with its own."""
        places = [self._places.get(product_id) for product_id in rows[ID].to_pylist()]
        is_missing = pa.array([place is None for place in places], pa.bool_())
        known = rows.filter(pc.invert(is_missing))
        self._compare(known, self._stored.take(pa.array(places, pa.int64()).drop_null()))
        return rows.filter(is_missing)

    def _compare(self, saved: pa.Table, own: pa.Table) -> None:
        ids = saved[ID].to_pylist()
        self._gone.difference_update(ids)
        self._metadata += _where_other(ids, saved.select(self._columns), own.select(self._columns))
        self._photos += _where_other(ids, saved.select(self._hashes), own.select(self._hashes))

    def warn_of_differences(self, uri: str, folder: Path) -> None:
        """Say how many products are not as they were saved."""
        changes = {
            "have another photo": self._photos,
            "have other metadata": self._metadata,
            "are not in the saved gallery": sorted(self._gone),
        }
        parts = [f"{len(ids):,} {what} (such as {ids[0]!r})" for what, ids in changes.items() if ids]
        if parts:
            logger.warning(
                f"only products that the gallery at {uri} lacked were loaded from {folder}; of those that it had "
                f"{', '.join(parts)}. They stay as they are: `Gallery.delete` them and load again, or load to another "
                "place"
            )


def _where_other(ids: Sequence[str], saved: pa.Table, own: pa.Table) -> list[str]:
    """The ids whose rows differ; none where no columns are compared."""
    return [name for name, one, other in zip(ids, saved.to_pylist(), own.to_pylist(), strict=True) if one != other]


def _longest(column: pa.ChunkedArray) -> int:
    """Bytes of the longest text of a column that is a dictionary."""
    return max((pc.max(pc.binary_length(chunk.dictionary)).as_py() or 0 for chunk in column.chunks), default=0)
