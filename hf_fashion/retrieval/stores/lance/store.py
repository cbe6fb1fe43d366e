"""Keeps a gallery's table in LanceDB: a folder, or a URI of object storage, without a server."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any
from uuid import uuid4

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ....files import folder_bytes
from ...schema import ID
from ..base import damage, doubled
from ..conditions.tree import Condition
from . import index as lance_index
from . import upkeep
from .errors import translated_errors
from .filter import lance_filter, text
from .lease import one_writer, writers_lease
from .reading import GalleryLost, open_newest, reads_again, require_newest
from .tables import TABLE, absolute_place, create_table, drop_tables, newest_version, open_table, require_lancedb


_ATTACHMENTS = "attachments_"  # begins the name of a table next to it, of names and bytes
_EARLIER_ATTACHMENTS = "attachments"  # in galleries of earlier versions
# With it, Lance finds that another writer has added an id meanwhile, and merges again instead of adding it twice.
PRIMARY_KEY = {"lance-schema:unenforced-primary-key": "true"}  # metadata of the column
_CREATION = b"hf_fashion.made"  # key of the table's metadata: no two tables have the same value there
MAX_ROWS_NAMED = 10_000  # in one condition
# A compaction removes all older versions: kept, they would double the disk space. A reader in the middle of one reads
# the newest instead; a writer of another process in the middle of one fails, and has changed nothing.
KEEP_VERSIONS = timedelta(milliseconds=1)


class LanceStore:
    """A [`VectorStore`] in LanceDB. Use [`LanceStore.create`] or [`LanceStore.open`].

    A commit writes new files and then one manifest, so that a kill leaves the table as it was before or after. Reads
    see the version of the last [`LanceStore.refresh`] or own change. Writers in a folder wait for each other.

    Args:
        uri (`str`): a folder, or a URI of object storage.
        table (`lancedb.table.Table`): LanceDB's.
    """

    max_top_k = None

    def __init__(self, uri: str, table):
        self.uri = uri
        self._table = table
        self._created = _creation(table)
        self._outdated = 0  # rows that were replaced or deleted since the table was tidied

    @staticmethod
    def require_installed() -> None:
        require_lancedb()

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
        uri = absolute_place(uri)
        with writers_lease(uri):
            try:
                cls.open(uri)
            except FileNotFoundError:
                return cls(uri, _created(uri, schema, attachments or {}))
        raise FileExistsError(f"there is a gallery at {uri} already; open it, or choose another place")

    @classmethod
    def open(cls, uri: str) -> LanceStore:
        """Open a table and read the ids of all rows, which fails where one of its files is missing or cut off.

        Args:
            uri (`str`): what [`LanceStore.create`] was given.

        Raises:
            FileNotFoundError: there is no gallery at `uri`.
            OSError: the table is damaged or has an id twice, or the place cannot be reached.
        """
        uri = absolute_place(uri)
        store = cls(uri, open_newest(uri))
        ids = store.read([ID])[ID]
        if pc.count_distinct(ids).as_py() < len(ids):
            raise doubled(uri, ids)
        return store

    @classmethod
    def repair(cls, uri: str) -> int:
        """Keep one row of each id, the one that was written last, and return how many others were removed.

        Args:
            uri (`str`): what [`LanceStore.create`] was given.

        Raises:
            FileNotFoundError: there is no gallery at `uri`.
            OSError: the table is damaged, or the place cannot be reached.
        """
        uri = absolute_place(uri)
        with writers_lease(uri):
            store = cls(uri, open_newest(uri))
            rows = store._run(store._table.search().select([ID]).with_row_id(True))
            last = rows.group_by(ID).aggregate([("_rowid", "max")])["_rowid_max"]
            others = pc.filter(rows["_rowid"], pc.invert(pc.is_in(rows["_rowid"], last))).to_pylist()
            # Tidied once, at the end: it gives rows other numbers than those that were read.
            parts = (others[start : start + MAX_ROWS_NAMED] for start in range(0, len(others), MAX_ROWS_NAMED))
            removed = sum(store._delete(f"_rowid IN ({', '.join(map(str, part))})") for part in parts)
            store._tidy_if_due(removed)
        return removed

    @property
    def schema(self) -> pa.Schema:
        schema = self._table.schema
        return schema.with_metadata({key: value for key, value in (schema.metadata or {}).items() if key != _CREATION})

    def attachments(self) -> dict[str, bytes]:
        name = _ATTACHMENTS + self._created.decode()
        try:
            table = self._attachments(name)
        except FileNotFoundError as error:
            raise damage(self.uri, f"the table {name!r} is missing") from error
        rows = self._run(table.search())
        return dict(zip(rows["name"].to_pylist(), rows["value"].to_pylist(), strict=True))

    def _attachments(self, name: str) -> Any:
        try:
            return open_table(self.uri, name)
        except FileNotFoundError:
            return open_table(self.uri, _EARLIER_ATTACHMENTS)

    @reads_again
    def refresh(self) -> int:
        self.catch_up()
        return self._table.version

    def catch_up(self) -> None:
        """Take in what other processes have committed.

        Raises:
            OSError: the gallery was deleted and created again, or has lost its newest version.
        """
        written = newest_version(self.uri, TABLE)  # before the table is read: later it may be newer than that
        self._table.checkout_latest()
        if _creation(self._table) != self._created:
            raise GalleryLost(f"the gallery at {self.uri} was deleted and created again meanwhile; open it again")
        require_newest(self.uri, self._table, written)

    @reads_again
    def count(self) -> int:
        return self._table.count_rows()

    @reads_again
    def storage(self) -> dict[str, int]:
        stats, local = self._table.stats(), "://" not in self.uri
        return {
            **({"bytes": folder_bytes(self.uri)} if local else {}),
            "versions": len(self._table.list_versions()),
            "fragments": stats["fragment_stats"]["num_fragments"],
        }

    def check_rows(self, rows: pa.Table) -> None:
        """LanceDB keeps every value that its column can hold."""

    @one_writer
    @translated_errors
    def upsert(self, rows: pa.Table) -> None:
        self.refresh()
        merge = self._table.merge_insert(ID).when_matched_update_all().when_not_matched_insert_all()
        self._tidy_if_due(merge.execute(_keyed(rows)).num_updated_rows)

    @one_writer
    @translated_errors
    def update(self, rows: pa.Table) -> None:
        self.refresh()
        merge = self._table.merge_insert(ID).when_matched_update_all()
        self._tidy_if_due(merge.execute(_keyed(rows)).num_updated_rows)

    @one_writer
    @translated_errors
    def delete(self, ids: Sequence[str]) -> int:
        removed = self._delete(_id_in(ids))
        self._tidy_if_due(removed)
        return removed

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

    @one_writer
    @translated_errors
    def build_index(self, columns: Sequence[str], kind: str) -> None:
        self.refresh()
        lance_index.build(self._table, columns, kind)

    @reads_again
    def indexes(self) -> dict[str, tuple[str, int]]:
        return {column: (kind, rows) for column, (kind, rows, _) in lance_index.describe(self._table).items()}

    @one_writer
    def compact(self) -> None:
        self.refresh()
        self._compact()

    @translated_errors
    def _delete(self, condition: str) -> int:
        self.refresh()
        return self._table.delete(condition).num_deleted_rows

    @translated_errors
    def _compact(self) -> None:
        self._table.optimize()
        # LanceDB removes before it joins, so the version that has just been joined is left for a second call.
        self._table.optimize(cleanup_older_than=KEEP_VERSIONS)
        self._outdated = 0

    def _tidy_if_due(self, outdated: int) -> None:
        """Compacts, and only warns where that fails: the change has been made."""
        self._outdated += outdated
        if not upkeep.is_due(self._table, self._outdated):
            return
        try:
            self._compact()
        except OSError as error:
            warnings.warn(f"the products were changed, but not compacted: {error}", stacklevel=4)

    def _sql(self, filter: Condition) -> str:
        return lance_filter(filter, self._table.schema)

    @reads_again
    def _run(self, query) -> pa.Table:
        return query.to_arrow()


def _created(uri: str, schema: pa.Schema, attachments: Mapping[str, bytes]) -> Any:
    """A new table, and its attachments in a table of their own that no other creation writes."""
    creation = uuid4().hex
    name = _ATTACHMENTS + creation
    columns = [pa.array(attachments.keys(), pa.string()), pa.array(attachments.values(), pa.binary())]
    if "://" not in uri:  # there another process may be creating one too
        drop_tables(uri, _ATTACHMENTS)  # of creations that were interrupted
    create_table(uri, name, pa.Table.from_arrays(columns, ["name", "value"]))
    # Last, because it makes the gallery exist.
    return create_table(uri, TABLE, _with_key(schema).with_metadata({**(schema.metadata or {}), _CREATION: creation}))


def _creation(table) -> bytes:
    return (table.schema.metadata or {}).get(_CREATION, b"")


def _with_key(schema: pa.Schema) -> pa.Schema:
    key = pa.field(ID, pa.string(), nullable=False, metadata=PRIMARY_KEY)
    return schema.set(schema.get_field_index(ID), key)


def _keyed(rows: pa.Table) -> pa.Table:
    return rows.cast(_with_key(rows.schema))


def _id_in(ids: Sequence[str]) -> str:
    return f"{ID} IN ({', '.join(map(text, ids))})" if ids else "false"
