"""A gallery's table in LanceDB: a folder, or a URI of object storage, without a server."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from datetime import timedelta
from uuid import uuid4

import numpy as np
import pyarrow as pa

from ..base import damage
from ..conditions import Condition
from . import index as lance_index
from .errors import failure, in_our_words
from .filter import lance_filter, text
from .tables import make_table, open_table, whole_place


TABLE = "gallery"
ATTACHMENTS = "attachments"  # a table beside it, of names and bytes
_MAKING = b"hf_fashion.made"  # of the table's metadata: no two tables have the same there
# Every commit leaves a file; reading and upserting slow down with their number (200 of them: two to four times).
MAX_FRAGMENTS = 256
# Rows that no index has are compared with a query one by one, 1.7 ms a thousand of 512 dimensions. Each time that an
# index takes some in, it gains a part, and every search 0.4 ms: both cost as much when 100,000 are added so many at a
# time (benchmarks/exact_search_limit.py).
MAX_UNINDEXED = 5000
# A compaction removes all older versions: kept, they would double the disk space. A reader that was in the middle of
# one reads the newest instead; a writer of another process that was fails, and has changed nothing.
KEEP_VERSIONS = timedelta(milliseconds=1)


class LanceStore:
    """A [`VectorStore`] in LanceDB. Use [`LanceStore.create`] or [`LanceStore.open`].

    A commit writes new files and then one manifest, so that a kill leaves the table as it was before or after. Reads
    see the version of the last [`LanceStore.refresh`] or own change.
    """

    max_top_k = None

    def __init__(self, uri: str, table):
        self.uri = uri
        self._table = table
        self._made = _making(table)

    @classmethod
    def create(cls, uri: str, schema: pa.Schema, attachments: Mapping[str, bytes] | None = None) -> LanceStore:
        """Makes an empty table.

        Args:
            uri (`str`): a folder, or a URI of object storage.
            schema (`pyarrow.Schema`): the columns, `id` among them.
            attachments (`Mapping[str, bytes]`, *optional*): what [`LanceStore.attachments`] shall return.

        Raises:
            FileExistsError: there is a gallery at `uri`.
            OSError: there are the remains of one, or the place cannot be reached.
        """
        uri, attachments = whole_place(uri), attachments or {}
        try:
            cls.open(uri)
        except FileNotFoundError:
            columns = [pa.array(attachments.keys(), pa.string()), pa.array(attachments.values(), pa.binary())]
            # Before the table, whose making is the gallery's, and always: another creation may have been interrupted.
            make_table(uri, ATTACHMENTS, pa.Table.from_arrays(columns, ["name", "value"]), overwrite=True)
            making = {**(schema.metadata or {}), _MAKING: uuid4().bytes.hex()}
            return cls(uri, make_table(uri, TABLE, schema.with_metadata(making)))
        raise FileExistsError(f"there is a gallery at {uri} already; open it, or delete it first")

    @classmethod
    def open(cls, uri: str) -> LanceStore:
        """Opens a table and reads the ids of all rows, so that every file of it is there and has an end.

        Raises:
            FileNotFoundError: there is no gallery at `uri`.
            OSError: the table is damaged, or the place cannot be reached.
        """
        uri = whole_place(uri)
        store = cls(uri, open_table(uri, TABLE))
        store.read(["id"])
        return store

    @property
    def schema(self) -> pa.Schema:
        schema = self._table.schema
        return schema.with_metadata({key: value for key, value in (schema.metadata or {}).items() if key != _MAKING})

    def attachments(self) -> dict[str, bytes]:
        try:
            table = open_table(self.uri, ATTACHMENTS)
        except FileNotFoundError as error:
            raise damage(self.uri, f"the table {ATTACHMENTS!r} is missing") from error
        rows = self._run(table.search())
        return dict(zip(rows["name"].to_pylist(), rows["value"].to_pylist(), strict=True))

    @in_our_words
    def refresh(self) -> int:
        self._table.checkout_latest()
        if _making(self._table) != self._made:
            raise OSError(f"the gallery at {self.uri} was deleted and made anew meanwhile; open it again")
        return self._table.version

    @in_our_words
    def count(self) -> int:
        return self._table.count_rows()

    @in_our_words
    def upsert(self, rows: pa.Table) -> None:
        self.refresh()
        self._table.merge_insert("id").when_matched_update_all().when_not_matched_insert_all().execute(rows)
        fragments = self._table.stats()["fragment_stats"]["num_fragments"]
        unindexed = max((rows for _, _, rows in lance_index.describe(self._table).values()), default=0)
        if fragments > MAX_FRAGMENTS or unindexed > MAX_UNINDEXED:
            self._tidy()

    @in_our_words
    def delete(self, ids: Sequence[str]) -> int:
        self.refresh()
        return self._table.delete(_id_in(ids)).num_deleted_rows

    def read(
        self, columns: Sequence[str], filter: Condition | None = None, ids: Sequence[str] | None = None
    ) -> pa.Table:
        query = self._table.search().select(list(columns))
        if ids is not None:
            query = query.where(_id_in(ids))
        elif filter is not None:
            query = query.where(lance_filter(filter, self._table.schema))
        return self._run(query)

    def nearest(
        self, queries: np.ndarray, column: str, top_k: int, columns: Sequence[str], filter: Condition | None
    ) -> pa.Table:
        query = self._table.search(queries, vector_column_name=column).distance_type("cosine").limit(top_k)
        query = query.select([*columns, "_distance"])
        if filter is not None:
            query = query.where(lance_filter(filter, self._table.schema), prefilter=True)
        few = lance_index.GROUPS_SEARCHED if filter is None else lance_index.GROUPS_SEARCHED_FILTERED
        found = self._run(lance_index.tuned(query, top_k, few))
        # The filter may have left too few rows in the nearest groups.
        if len(found) < top_k * len(queries) and column in self.indexes():
            found = self._run(lance_index.tuned(query, top_k, groups=0))
        if "query_index" not in found.column_names:  # of a single query LanceDB says none
            found = found.append_column("query_index", pa.array(np.zeros(len(found), dtype=np.int32)))
        return found.drop_columns("_distance")

    @in_our_words
    def build_index(self, columns: Sequence[str], kind: str) -> None:
        self.refresh()
        lance_index.build(self._table, columns, kind)

    @in_our_words
    def indexes(self) -> dict[str, tuple[str, int]]:
        return {column: (kind, rows) for column, (kind, rows, _) in lance_index.describe(self._table).items()}

    @in_our_words
    def compact(self) -> None:
        self._table.optimize()
        # LanceDB removes before it joins, so the version that has just been joined is left for a second call.
        self._table.optimize(cleanup_older_than=KEEP_VERSIONS)

    def _tidy(self) -> None:
        """Compacts. The rows have been added: they must not seem lost because there is no room for this."""
        try:
            self.compact()
        except OSError as error:
            warnings.warn(f"the products were added, but not compacted: {error}", stacklevel=4)

    def _run(self, query) -> pa.Table:
        try:
            return query.to_arrow()
        except (OSError, RuntimeError, ValueError) as error:
            version = self._table.version
            if self.refresh() == version:
                raise failure(self.uri, error) from error
            return self._run(query)  # another process has removed the version that was read


def _making(table) -> bytes:
    return (table.schema.metadata or {}).get(_MAKING, b"")


def _id_in(ids: Sequence[str]) -> str:
    return f"id IN ({', '.join(map(text, ids))})" if ids else "false"
