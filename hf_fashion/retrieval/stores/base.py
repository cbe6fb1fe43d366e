"""What a gallery asks of the database that keeps it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Protocol

import numpy as np
import pyarrow as pa

from .conditions import Condition


class VectorStore(Protocol):
    """One table with a string column `id`, metadata and vector columns. Every change is one commit: all or nothing.
    Beside it stand attachments, named bytes of at most 32 KiB each that are written once, with the empty table.

    Filters are checked conditions, which a store compiles. All methods raise OSError if data are damaged.
    """

    uri: str
    max_top_k: ClassVar[int | None]  # rows that one search gives at most; `None` if there is no limit

    @property
    def schema(self) -> pa.Schema:
        """The table's schema, with the metadata that it was created with."""

    def attachments(self) -> dict[str, bytes]:
        """The attachments by name; none where the table was made without."""

    def refresh(self) -> int:
        """Takes in what other processes have committed; the version of the table, another one after each change."""

    def count(self) -> int:
        """Number of rows."""

    def upsert(self, rows: pa.Table) -> None:
        """Adds rows; those whose id is there already take the old one's place."""

    def delete(self, ids: Sequence[str]) -> int:
        """Removes the rows with these ids and says how many there were."""

    def read(
        self, columns: Sequence[str], filter: Condition | None = None, ids: Sequence[str] | None = None
    ) -> pa.Table:
        """Some columns of all rows, in any order, or of those that match.

        Args:
            columns (`Sequence[str]`): which.
            filter (`Condition`, *optional*): rows that meet it.
            ids (`Sequence[str]`, *optional*): rows with these ids. Not together with `filter`.
        """

    def nearest(
        self, queries: np.ndarray, column: str, top_k: int, columns: Sequence[str], filter: Condition | None
    ) -> pa.Table:
        """The rows with the largest cosines to each query, approximately.

        Args:
            queries (`numpy.ndarray` of shape `(Q, d)`): float32.
            column (`str`): the vector column.
            top_k (`int`): rows for a query, fewer where fewer meet the filter.
            columns (`Sequence[str]`): what is returned of each row.
            filter (`Condition`, *optional*): rows that may be found; applied before the search.

        Returns:
            `pyarrow.Table`: the columns, and `query_index`, the number of the query that a row was found for.

        Raises:
            ValueError: `top_k` is more than `max_top_k`.
        """

    def build_index(self, columns: Sequence[str], kind: str) -> None:
        """Indexes vector columns for `nearest`, and the others for filters; replaces indexes that are there.

        Rows that are changed afterwards are found too, those that are not in an index yet by comparing each.

        Args:
            columns (`Sequence[str]`): the vector columns.
            kind (`str`): the store's name for a kind of index.

        Raises:
            ValueError: the store has no such kind, or the kind cannot hold one of the columns.
        """

    def indexes(self) -> dict[str, tuple[str, int]]:
        """Vector column -> kind of its index, and how many rows are in it; columns without an index are left out."""

    def compact(self) -> None:
        """Joins what many small commits have left, and brings all rows into the indexes."""


def damage(uri: str, what: object) -> OSError:
    """The error for a table that cannot be read, in words that help.

    Args:
        uri (`str`): where the table is.
        what (`object`): what is wrong, such as the store's own error.
    """
    return OSError(
        f"the gallery at {uri} is damaged: {what}. Put a copy in its place, or delete it and embed the catalogue again"
    )
