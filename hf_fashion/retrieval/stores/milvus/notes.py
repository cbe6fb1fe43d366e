"""Keeps what belongs to a gallery in Milvus next to its rows: the table's schema, attachments, and the version."""

from __future__ import annotations

import time
from base64 import b64decode, b64encode
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import pyarrow as pa

from .address import MilvusAddress
from .columns import MAX_BYTES
from .connection import MilvusConnection
from .literals import text


_SCHEMA, _VERSION = "schema", "version"
_ATTACHMENT = "attachment "
_NAME_BYTES = 1000


class MilvusNotes:
    """Named texts in a second collection, next to the gallery's.

    The version is even while nothing changes. A change makes it odd, then touches the rows, then makes it even, always
    a new number: whoever sees the same even version twice has seen the same rows, but for one message of a second
    writer that was on its way when the first one ended. A process that was killed leaves it odd until the next change.

    Args:
        connection (`MilvusConnection`): to the server.
        address (`MilvusAddress`): of the gallery.
    """

    def __init__(self, connection: MilvusConnection, address: MilvusAddress):
        self._connection = connection
        self._gallery = address
        self._collection = f"{address.collection}_hf_fashion"

    def has_gallery(self) -> bool:
        """Return whether there is a gallery that was created completely.

        Raises:
            ValueError: there is a collection of its name, but without notes.
        """
        if not self._connection.call("has_collection", self._gallery.collection):
            return False
        if not self._connection.call("has_collection", self._collection):
            raise ValueError(
                f"the collection at {self._gallery.uri} is not a gallery: hf_fashion did not write it. Choose "
                "another name"
            )
        self._connection.load(self._collection, ["vector"])
        return self.version() is not None

    def create(self, schema: pa.Schema, attachments: Mapping[str, bytes]) -> None:
        """Create the collection, without a version, in place of one that an interrupted creation has left.

        Args:
            schema (`pyarrow.Schema`): of the gallery's table.
            attachments (`Mapping[str, bytes]`): of at most 32 KiB each.
        """
        self._connection.call("drop_collection", self._collection)  # none is there, or one without a version
        types, client = self._connection.pymilvus.DataType, self._connection.pymilvus.MilvusClient
        fields = client.create_schema(auto_id=False, enable_dynamic_field=False)
        fields.add_field("name", types.VARCHAR, is_primary=True, max_length=_NAME_BYTES)
        fields.add_field("value", types.VARCHAR, max_length=MAX_BYTES)
        fields.add_field("vector", types.FLOAT_VECTOR, dim=2)  # a collection must have one
        self._connection.create_collection(self._collection, fields, ["vector"])
        self._write({_SCHEMA: _encoded(schema.serialize().to_pybytes())})
        self._write({_ATTACHMENT + name: _encoded(value) for name, value in attachments.items()})

    def schema(self) -> pa.Schema:
        """Return the schema that the gallery was created with."""
        return pa.ipc.read_schema(pa.py_buffer(b64decode(self._read(f"name == {text(_SCHEMA)}")[_SCHEMA])))

    def attachments(self) -> dict[str, bytes]:
        """Return the attachments by name."""
        found = self._read(f"name like {text(_ATTACHMENT + '%')}")
        return {name.removeprefix(_ATTACHMENT): b64decode(value) for name, value in found.items()}

    def version(self) -> int | None:
        """Return the version; none where the creation of the gallery was interrupted."""
        found = self._read(f"name == {text(_VERSION)}")
        return int(found[_VERSION]) if found else None

    @contextmanager
    def change(self) -> Iterator[None]:
        """Surround a change of the rows, each of whose messages follows a call of [`begin`]. Where it fails, the
        version is odd: a part of it may have been done.
        """
        try:
            yield
        except BaseException:
            self.begin()  # another change may have ended in between
            raise
        self.finish()

    def begin(self) -> None:
        """Make the version odd, before a message of a change: another change may have ended since the last one."""
        self._write({_VERSION: str(time.time_ns() // 2 * 2 + 1)})

    def finish(self) -> None:
        """Give the rows a version; a gallery exists when it has its first one."""
        self._write({_VERSION: str(time.time_ns() // 2 * 2)})

    def _write(self, texts: Mapping[str, str]) -> None:
        rows = [{"name": name, "value": value, "vector": [1.0, 0.0]} for name, value in texts.items()]
        if rows:
            self._connection.call("upsert", self._collection, rows)

    def _read(self, condition: str) -> dict[str, str]:
        rows = self._connection.call("query", self._collection, filter=condition, output_fields=["name", "value"])
        return {row["name"]: row["value"] for row in rows}


def _encoded(value: bytes) -> str:
    return b64encode(value).decode()
