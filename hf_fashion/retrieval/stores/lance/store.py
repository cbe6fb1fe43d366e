"""Keeps a gallery's table in LanceDB: a folder, or a URI of object storage, without a server."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from datetime import timedelta
from uuid import uuid4

import numpy as np
import pyarrow as pa

from ...schema import ID
from ..base import damage
from ..conditions.tree import Condition
from . import index as lance_index
from .errors import failure, translated_errors
from .filter import lance_filter, text
from .tables import absolute_place, create_table, open_table


TABLE = "gallery"
ATTACHMENTS = "attachments"  # a table next to it, of names and bytes
_CREATION = b"hf_fashion.made"  # key of the table's metadata: no two tables have the same value there
# Every commit leaves a file; reading and upserting slow down with their number (200 of them: two to four times).
MAX_FRAGMENTS = 256
# Rows that no index has are compared with a query one by one, 1.7 ms a thousand of 512 dimensions. Each time that an
# index takes some in, it gains a part, and every search 0.4 ms: both cost the same when 100,000 are added in steps of
# this size (benchmarks/exact_search_limit.py).
MAX_UNINDEXED = 5000
# A compaction removes all older versions: kept, they would double the disk space. A reader in the middle of one reads
# the newest instead; a writer of another process in the middle of one fails, and has changed nothing.
KEEP_VERSIONS = timedelta(milliseconds=1)


class LanceStore:
    """A [`VectorStore`] in LanceDB. Use [`LanceStore.create`] or [`LanceStore.open`].

    A commit writes new files and then one manifest, so that a kill leaves the table as it was before or after. Reads
    see the version of the last [`LanceStore.refresh`] or own change. One process at a time may change a table.

    Args:
        uri (`str`): a folder, or a URI of object storage.
        table (`lancedb.table.Table`): LanceDB's.
    """

    max_top_k = None

    def __init__(self, uri: str, table):
        self.uri = uri
        self._table = table
        self._created = _creation(table)

    @classmethod
    def create(cls, uri: str, schema: pa.Schema, attachments: Mapping[str, bytes] | None = None) -> LanceStore:
        """Create an empty table.

        Args:
            uri (`str`): a folder, or a URI of object storage.
            schema (`pyarrow.Schema`): the columns, `id` among them.
            attachments (`Mapping[str, bytes]`, *optional*): what [`LanceStore.attachments`] returns later.

        Raises:
            FileExistsError: there is a gallery at `uri`.
            OSError: there are the remains of a gallery, or the place cannot be reached.
        """
        uri, attachments = absolute_place(uri), attachments or {}
        try:
            cls.open(uri)
        except FileNotFoundError:
            columns = [pa.array(attachments.keys(), pa.string()), pa.array(attachments.values(), pa.binary())]
            # Before the table, which makes the gallery exist, and always: another creation may have been interrupted.
            create_table(uri, ATTACHMENTS, pa.Table.from_arrays(columns, ["name", "value"]), overwrite=True)
            metadata = {**(schema.metadata or {}), _CREATION: uuid4().bytes.hex()}
            return cls(uri, create_table(uri, TABLE, schema.with_metadata(metadata)))
        raise FileExistsError(f"there is a gallery at {uri} already; open it, or choose another place")

    @classmethod
    def open(cls, uri: str) -> LanceStore:
        """Open a table and read the ids of all rows, which fails where one of its files is missing or cut off.

        Args:
            uri (`str`): what [`LanceStore.create`] was given.

        Raises:
            FileNotFoundError: there is no gallery at `uri`.
            OSError: the table is damaged, or the place cannot be reached.
        """
        uri = absolute_place(uri)
        store = cls(uri, open_table(uri, TABLE))
        store.read([ID])
        return store

    @property
    def schema(self) -> pa.Schema:
        schema = self._table.schema
        return schema.with_metadata({key: value for key, value in (schema.metadata or {}).items() if key != _CREATION})

    def attachments(self) -> dict[str, bytes]:
        try:
            table = open_table(self.uri, ATTACHMENTS)
        except FileNotFoundError as error:
            raise damage(self.uri, f"the table {ATTACHMENTS!r} is missing") from error
        rows = self._run(table.search())
        return dict(zip(rows["name"].to_pylist(), rows["value"].to_pylist(), strict=True))

    @translated_errors
    def refresh(self) -> int:
        self._table.checkout_latest()
        if _creation(self._table) != self._created:
            raise OSError(f"the gallery at {self.uri} was deleted and created again meanwhile; open it again")
        return self._table.version

    @translated_errors
    def count(self) -> int:
        return self._table.count_rows()

    @translated_errors
    def upsert(self, rows: pa.Table) -> None:
        self.refresh()
        self._table.merge_insert(ID).when_matched_update_all().when_not_matched_insert_all().execute(rows)
        fragments = self._table.stats()["fragment_stats"]["num_fragments"]
        unindexed = max((rows for _, _, rows in lance_index.describe(self._table).values()), default=0)
        if fragments > MAX_FRAGMENTS or unindexed > MAX_UNINDEXED:
            self._tidy()

    @translated_errors
    def delete(self, ids: Sequence[str]) -> int:
        self.refresh()
        return self._table.delete(_id_in(ids)).num_deleted_rows

    def read(
        self, columns: Sequence[str], filter: Condition | None = None, ids: Sequence[str] | None = None
    ) -> pa.Table:
        query = self._table.search().select(list(columns))
        if ids is not None:
            return self._run(query.where(_id_in(ids)))
        return self._run(query if filter is None else query.where(self._sql(filter)))

    def nearest(
        self, queries: np.ndarray, column: str, top_k: int, columns: Sequence[str], filter: Condition | None
    ) -> pa.Table:
        query = self._table.search(queries, vector_column_name=column).distance_type("cosine").limit(top_k)
        query = query.select([*columns, "_distance"])
        query = query if filter is None else query.where(self._sql(filter), prefilter=True)
        few = lance_index.GROUPS_SEARCHED if filter is None else lance_index.GROUPS_SEARCHED_FILTERED
        found = self._run(lance_index.tuned(query, top_k, few))
        # The filter may have left too few rows in the nearest groups.
        if len(found) < top_k * len(queries) and column in self.indexes():
            found = self._run(lance_index.tuned(query, top_k, groups=0))
        if "query_index" not in found.column_names:  # LanceDB leaves it out for a single query
            found = found.append_column("query_index", pa.array(np.zeros(len(found), dtype=np.int32)))
        return found.drop_columns("_distance")

    @translated_errors
    def build_index(self, columns: Sequence[str], kind: str) -> None:
        self.refresh()
        lance_index.build(self._table, columns, kind)

    @translated_errors
    def indexes(self) -> dict[str, tuple[str, int]]:
        return {column: (kind, rows) for column, (kind, rows, _) in lance_index.describe(self._table).items()}

    @translated_errors
    def compact(self) -> None:
        self._table.optimize()
        # LanceDB removes before it joins, so the version that has just been joined is left for a second call.
        self._table.optimize(cleanup_older_than=KEEP_VERSIONS)

    def _tidy(self) -> None:
        """Compacts, and only warns where that fails: the rows have been added."""
        try:
            self.compact()
        except OSError as error:
            warnings.warn(f"the products were added, but not compacted: {error}", stacklevel=4)

    def _sql(self, filter: Condition) -> str:
        return lance_filter(filter, self._table.schema)

    def _run(self, query) -> pa.Table:
        try:
            return query.to_arrow()
        except (OSError, RuntimeError, ValueError) as error:
            version = self._table.version
            if self.refresh() == version:
                raise failure(self.uri, error) from error
            return self._run(query)  # another process has removed the version that was read


def _creation(table) -> bytes:
    return (table.schema.metadata or {}).get(_CREATION, b"")


def _id_in(ids: Sequence[str]) -> str:
    return f"{ID} IN ({', '.join(map(text, ids))})" if ids else "false"
