"""Defines what a gallery needs from the database that keeps it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from .conditions.tree import Condition


class VectorStore(Protocol):
    """One table with a string column `id`, metadata columns and vector columns. Every change is one commit: all of it
    or nothing. Next to the table there are attachments, named bytes of at most 32 KiB each that are written once,
    with the empty table.

    All methods raise OSError where the data are damaged.

    Attributes:
        uri (`str`): where the table is.
    """

    uri: str

    @classmethod
    def create(cls, uri: str, schema: pa.Schema, attachments: Mapping[str, bytes] | None = None) -> VectorStore:
        """Create an empty table.

        Args:
            uri (`str`): where.
            schema (`pyarrow.Schema`): the columns, `id` among them, and metadata to keep.
            attachments (`Mapping[str, bytes]`, *optional*): what [`VectorStore.attachments`] returns later.

        Raises:
            FileExistsError: there is a gallery at `uri`.
            OSError: there are the remains of a gallery, or the place cannot be reached.
            ValueError: the database cannot keep such columns.
            ImportError: the database is not installed.
        """

    @classmethod
    def open(cls, uri: str) -> VectorStore:
        """Open a table.

        Args:
            uri (`str`): what [`VectorStore.create`] was given.

        Raises:
            FileNotFoundError: there is no gallery at `uri`.
            OSError: the table is damaged or has an id twice, or the place cannot be reached.
            ImportError: the database is not installed.
        """

    @classmethod
    def repair(cls, uri: str) -> int:
        """Keep one row of each id, the one that was written last, and return how many others were removed.

        Args:
            uri (`str`): what [`VectorStore.create`] was given.

        Raises:
            FileNotFoundError: there is no gallery at `uri`.
            OSError: the table is damaged, or the place cannot be reached.
            ImportError: the database is not installed.
        """

    @staticmethod
    def require_installed() -> None:
        """Raise if the database is not installed.

        Raises:
            ImportError: the error names what to install.
        """

    @property
    def schema(self) -> pa.Schema:
        """The table's schema, with the metadata that it was created with."""

    @property
    def max_top_k(self) -> int | None:
        """The largest `top_k` of [`VectorStore.nearest`]; none where there is no limit."""

    def attachments(self) -> dict[str, bytes]:
        """Return the attachments by name; an empty dict where the table was created without."""

    def refresh(self) -> int:
        """Take in what other processes have committed, and return the table's version: another number after each
        change."""

    def count(self) -> int:
        """Return the number of rows."""

    def storage(self) -> dict[str, int]:
        """Return what the table takes, as far as the store knows: `"bytes"` on this machine's disk, `"versions"` that
        are kept, the newest included, and `"fragments"`, the parts that changes have left."""

    def check_rows(self, rows: pa.Table) -> None:
        """Raise if the database cannot keep some values, before anything is embedded for them.

        Args:
            rows (`pyarrow.Table`): `id` and metadata columns.

        Raises:
            MisfitError: a value is beyond a limit of the database, such as the length of its texts.
        """

    def upsert(self, rows: pa.Table) -> None:
        """Add rows, or replace those whose id is in the table already.

        Args:
            rows (`pyarrow.Table`): all columns, no id twice, and no NaN or infinite number.

        Raises:
            MisfitError: as [`VectorStore.check_rows`]; nothing is changed.
        """

    def update(self, rows: pa.Table) -> None:
        """Change some columns of rows that are in the table; rows with other ids are passed over.

        Args:
            rows (`pyarrow.Table`): `id` and the columns to change, no id twice.
        """

    def delete(self, ids: Sequence[str]) -> int:
        """Remove rows and return how many there were.

        Args:
            ids (`Sequence[str]`): their ids; others are passed over.
        """

    def read(
        self, columns: Sequence[str], filter: Condition | None = None, ids: Sequence[str] | None = None
    ) -> pa.Table:
        """Read some columns of all rows, or of those that match, in any order.

        Args:
            columns (`Sequence[str]`): which columns.
            filter (`Condition`, *optional*): rows that meet it.
            ids (`Sequence[str]`, *optional*): rows with these ids. Not together with `filter`.
        """

    def nearest(
        self, queries: np.ndarray, column: str, top_k: int, columns: Sequence[str], filter: Condition | None
    ) -> pa.Table:
        """Search the rows with the largest cosines to each query, approximately.

        Args:
            queries (`numpy.ndarray` of shape `(Q, d)`): float32.
            column (`str`): the vector column.
            top_k (`int`): rows for a query, fewer where fewer meet the filter.
            columns (`Sequence[str]`): what is returned of each row.
            filter (`Condition`, *optional*): rows that may be found; applied before the search.

        Returns:
            `pyarrow.Table`: the columns, and `query_index`, the number of the query that a row was found for.

        Raises:
            ValueError: `top_k` is larger than `max_top_k`.
        """

    def build_index(self, columns: Sequence[str], kind: str) -> None:
        """Index vector columns for `nearest`, and the others for filters; replace the indexes that are there.

        Rows that are changed afterwards are found too: those that are not in an index yet are compared one by one.

        Args:
            columns (`Sequence[str]`): the vector columns.
            kind (`str`): the store's name for a kind of index.

        Raises:
            ValueError: the store has no such kind, or the kind cannot hold one of the columns.
        """

    def indexes(self) -> dict[str, tuple[str, int]]:
        """Return the kind of index of each vector column that has one, and how many rows are in it."""

    def compact(self) -> None:
        """Join the files that many small commits have left, and take all rows into the indexes."""


def damage(uri: str, what: object) -> OSError:
    """Return the error for a table that cannot be read.

    Args:
        uri (`str`): where the table is.
        what (`object`): what is wrong, such as the store's own error.
    """
    return OSError(
        f"the gallery at {uri} is damaged: {what}. Check that all of its files are there and can be read, and that no "
        "other process has replaced them; else restore them from a backup, or embed the catalogue into a new place"
    )


def doubled(uri: str, ids: pa.ChunkedArray) -> OSError:
    """Return the error for a table in which ids come more than once.

    Args:
        uri (`str`): where the table is.
        ids (`pyarrow.ChunkedArray`): of all rows.
    """
    counts = pc.value_counts(ids)
    several = counts.filter(pc.greater(counts.field("counts"), 1))
    return OSError(
        f"the gallery at {uri} has {len(several):,} ids more than once, such as {several[0]['values'].as_py()!r}: "
        "two processes of an older version have written to it at the same time. Keep one row of each id with "
        f"Gallery.repair({uri!r}) or hf-fashion repair --gallery {uri}"
    )
