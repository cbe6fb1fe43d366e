"""Keeps a gallery's table in Milvus: a collection of a server, or of Milvus Lite in a file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ....files import folder_bytes
from ...schema import ID
from ..base import damage
from ..conditions.tree import Condition
from . import index as milvus_index
from .address import MilvusAddress
from .columns import MilvusColumns
from .connection import MilvusConnection, require_pymilvus
from .literals import one_of, text
from .notes import MilvusNotes
from .reader import IDS_AT_ONCE, MESSAGE_BYTES, MilvusReader, parts


class MilvusStore:
    """A [`VectorStore`] in Milvus. Use [`MilvusStore.create`] or [`MilvusStore.open`].

    It promises less than [`VectorStore`] asks. The rows of a call go in messages of about `MESSAGE_BYTES`, each of
    them a commit of its own: where a process is killed in between, or another one reads meanwhile, the first messages
    are done and the last ones are not, and the same call completes them. When a call has returned, every read sees
    what it did, those of other processes too (consistency "Strong"). A server has then written it to its log; Milvus
    Lite has given it to the operating system, so that a killed process loses nothing, but a power failure may.

    Args:
        address (`MilvusAddress`): where the gallery is.
        connection (`MilvusConnection`): to the server.
        notes (`MilvusNotes`): the gallery's.
        columns (`MilvusColumns`): the gallery's.
    """

    def __init__(
        self, address: MilvusAddress, connection: MilvusConnection, notes: MilvusNotes, columns: MilvusColumns
    ):
        self.uri = address.uri
        self._collection = address.collection
        self._connection = connection
        self._columns = columns
        self._reader = MilvusReader(connection, address.collection, columns)
        self._notes = notes
        self._unfinished = 0
        self._version: int | None = None  # as of the last refresh; None after this object has changed the table
        self._counted: tuple[int, int] | None = None  # version, rows

    @classmethod
    def create(cls, uri: str, schema: pa.Schema, attachments: Mapping[str, bytes] | None = None) -> MilvusStore:
        """Create an empty table. It exists when all parts of it do; what an interrupted creation has left is replaced.

        Args:
            uri (`str`): a collection of a server, or a file of Milvus Lite.
            schema (`pyarrow.Schema`): the columns, `id` among them.
            attachments (`Mapping[str, bytes]`, *optional*): what [`MilvusStore.attachments`] returns later.

        Raises:
            FileExistsError: there is a gallery at `uri`.
            ValueError: Milvus cannot keep such columns, or a collection that is not a gallery has the name.
            OSError: the server cannot be reached.
            ImportError: pymilvus is not installed.
        """
        address, columns = MilvusAddress.parse(uri), MilvusColumns(schema)
        connection = MilvusConnection(address)
        notes = MilvusNotes(connection, address)
        if notes.has_gallery():
            raise FileExistsError(f"there is a gallery at {uri} already; open it, or choose another place")
        connection.call("drop_collection", address.collection)
        notes.create(schema, attachments or {})
        fields = columns.milvus_schema(connection.pymilvus)
        connection.create_collection(address.collection, fields, columns.vectors)
        notes.finish()
        return cls(address, connection, notes, columns)

    @classmethod
    def open(cls, uri: str) -> MilvusStore:
        """Open a table and count its rows.

        Args:
            uri (`str`): what [`MilvusStore.create`] was given.

        Raises:
            FileNotFoundError: there is no gallery at `uri`.
            ValueError: the collection there is not a gallery.
            OSError: the server cannot be reached, or cannot read the collection.
            ImportError: pymilvus is not installed.
        """
        address = MilvusAddress.parse(uri)
        if address.file and not address.file.is_dir():  # connecting would create it
            raise FileNotFoundError(f"there is no gallery at {uri}")
        connection = MilvusConnection(address)
        notes = MilvusNotes(connection, address)
        if not notes.has_gallery():
            raise FileNotFoundError(f"there is no gallery at {uri}")
        store = cls(address, connection, notes, MilvusColumns(notes.schema()))
        connection.load(address.collection, store._columns.vectors)
        store.count()
        return store

    @staticmethod
    def require_installed() -> None:
        require_pymilvus()

    @classmethod
    def repair(cls, uri: str) -> int:
        """Return 0: Milvus keeps one row of each id, because it only ever gets upserts of its primary key.

        Args:
            uri (`str`): what [`MilvusStore.create`] was given.

        Raises:
            FileNotFoundError: there is no gallery at `uri`.
            ValueError: the collection there is not a gallery.
            OSError: the server cannot be reached.
            ImportError: pymilvus is not installed.
        """
        cls.open(uri)
        return 0

    @property
    def schema(self) -> pa.Schema:
        return self._columns.schema

    @property
    def max_top_k(self) -> int:
        return self._reader.max_top_k

    def attachments(self) -> dict[str, bytes]:
        return self._notes.attachments()

    def refresh(self) -> int:
        version = self._notes.version()
        if version is None:
            raise damage(self.uri, "the number of its version is missing")
        if version % 2:  # a change is going on, or was interrupted: nothing that is read now may be cached
            self._unfinished -= 1
            version = self._unfinished
        self._version = version
        return version

    def count(self) -> int:
        if self._version is None:
            return self._reader.count()
        if self._counted is None or self._counted[0] != self._version:
            self._counted = (self._version, self._reader.count())
        return self._counted[1]

    def storage(self) -> dict[str, int]:
        file = MilvusAddress.parse(self.uri).file
        return {"bytes": folder_bytes(file)} if file else {}

    def check_rows(self, rows: pa.Table) -> None:
        self._columns.check(rows)

    def upsert(self, rows: pa.Table) -> None:
        if not len(rows):
            return
        values = self._columns.to_milvus(rows)
        number = max(1, MESSAGE_BYTES * len(rows) // (2 * rows.nbytes))  # float16 becomes float32
        with self._change():
            for part in parts(values, number):
                self._notes.begin()
                self._connection.call("upsert", self._collection, part)

    def update(self, rows: pa.Table) -> None:
        self.check_rows(rows)  # in their order, so that an error names the caller's row
        there = self.read(self.schema.names, ids=rows[ID].to_pylist())
        places = pc.index_in(there[ID], rows[ID].combine_chunks())
        for name in rows.column_names:
            there = there.set_column(there.schema.get_field_index(name), there.field(name), rows[name].take(places))
        self.upsert(there)

    def delete(self, ids: Sequence[str]) -> int:
        there = self.read([ID], ids=ids)[ID].to_pylist()  # Milvus would count ids that it does not have
        if there:
            with self._change():
                for part in parts(there, IDS_AT_ONCE):
                    self._notes.begin()
                    self._connection.call("delete", self._collection, filter=one_of(ID, map(text, part)))
        return len(there)

    def read(
        self, columns: Sequence[str], filter: Condition | None = None, ids: Sequence[str] | None = None
    ) -> pa.Table:
        return self._reader.all(columns, filter) if ids is None else self._reader.some(columns, ids)

    def nearest(
        self, queries: np.ndarray, column: str, top_k: int, columns: Sequence[str], filter: Condition | None
    ) -> pa.Table:
        return self._reader.nearest(queries, column, top_k, columns, filter)

    def build_index(self, columns: Sequence[str], kind: str) -> None:
        milvus_index.build(self._connection, self._collection, self._columns, kind, self.count())

    def indexes(self) -> dict[str, tuple[str, int]]:
        return milvus_index.describe(self._connection, self._collection, self._columns.vectors)

    def compact(self) -> None:
        """Close the segments that rows are still written to, so that indexes take them in, and ask the server to join
        small ones, which it does in its own time."""
        self._connection.call("flush", self._collection)
        self._connection.call("compact", self._collection)

    def _change(self) -> AbstractContextManager[None]:
        self._version = None
        return self._notes.change()
