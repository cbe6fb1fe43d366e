"""Calls pymilvus, and translates its errors."""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from .address import MilvusAddress


TOKEN = "MILVUS_TOKEN"  # the environment variable
CONNECT_SECONDS = 10
CALL_SECONDS = 60  # how long pymilvus repeats a call to a server that does not answer
_SLOW = ("create_index", "load_collection", "flush")  # without a time limit: they return when the server is done
_NO_COLLECTION, _NO_CONNECTION = 100, 2  # codes of Milvus and of pymilvus


class MilvusRefusal(OSError):
    """The server answered that it will not do a call."""


class MilvusConnection:
    """A connection to a Milvus server, or to Milvus Lite, which is a thread of this process.

    Args:
        address (`MilvusAddress`): of the gallery.

    Raises:
        ImportError: pymilvus or Milvus Lite is not installed.
        OSError: nothing answers there, or another process has the database file open.
    """

    def __init__(self, address: MilvusAddress):
        self.uri = address.uri
        self.pymilvus = require_pymilvus()
        self._token = ""
        if address.file:
            _start_lite(address.file, self.uri)
        else:
            self._token = os.environ.get(TOKEN, "")
        self._client = self._run(
            self.pymilvus.MilvusClient, uri=address.endpoint, token=self._token, timeout=CONNECT_SECONDS
        )
        self.is_lite = "lite" in self.call("get_server_version")

    def call(self, method: str, *arguments: Any, **options: Any) -> Any:
        """Call a method of pymilvus's client.

        Args:
            method (`str`): its name.
            arguments (`Any`): passed on.
            options (`Any`): passed on.

        Raises:
            FileNotFoundError: there is no such collection.
            MilvusRefusal: the server refuses the call.
            ConnectionError: the server cannot be reached.
        """
        timeout = None if method in _SLOW else CALL_SECONDS
        return self._run(getattr(self._client, method), *arguments, timeout=timeout, **options)

    def create_collection(self, name: str, fields: Any, vectors: Sequence[str]) -> None:
        """Create an empty collection that can be read.

        Args:
            name (`str`): its name.
            fields (`pymilvus.CollectionSchema`): its fields.
            vectors (`Sequence[str]`): names of the vector fields.

        Raises:
            ValueError: the server refuses the fields.
        """
        try:
            # Strong: a read sees all that any process wrote before it.
            self.call("create_collection", name, schema=fields, consistency_level="Strong")
        except MilvusRefusal as error:
            raise ValueError(f"the server cannot keep these columns: {error}") from None
        self.load(name, vectors)

    def load(self, name: str, vectors: Sequence[str]) -> None:
        """Make a collection readable. Every vector field needs an index for that: where there is none it gets `FLAT`,
        which compares every row.

        Args:
            name (`str`): the collection.
            vectors (`Sequence[str]`): names of the vector fields.
        """
        indexed = self.call("list_indexes", name)
        for field in vectors:
            if field not in indexed:
                self.create_index(name, field, "FLAT", {})
        self.call("load_collection", name)

    def create_index(self, name: str, field: str, kind: str, parameters: dict[str, Any]) -> None:
        """Index one field; an index of vectors is built when the call returns.

        Args:
            name (`str`): the collection.
            field (`str`): a field, whose name the index gets.
            kind (`str`): Milvus's name for a kind of index; `INVERTED` for metadata.
            parameters (`dict[str, Any]`): those of the kind.
        """
        index = self.pymilvus.MilvusClient.prepare_index_params()
        metric = {} if kind == "INVERTED" else {"metric_type": "COSINE"}
        index.add_index(field, index_type=kind, index_name=field, params=parameters, **metric)
        # Milvus Lite builds while it loads, and does not report its progress.
        wait = kind not in ("FLAT", "INVERTED") and not self.is_lite
        self.call("create_index", name, index, sync=wait)

    def _run(self, function, *arguments: Any, **options: Any) -> Any:
        from grpc import RpcError  # pymilvus lets some of gRPC's own errors through

        try:
            return function(*arguments, **options)
        except (self.pymilvus.MilvusException, RpcError) as error:
            raise self._explained(error) from None  # the chain would end in pymilvus's traceback

    def _explained(self, error: Exception) -> OSError:
        code = getattr(error, "code", None)  # a method of gRPC's errors
        what = error.message if isinstance(error, self.pymilvus.MilvusException) else error.details()
        what = what.replace(self._token, "***") if self._token else what
        if code == _NO_COLLECTION:
            return FileNotFoundError(f"there is no gallery at {self.uri}")
        if isinstance(code, int) and code != _NO_CONNECTION:
            return MilvusRefusal(f"Milvus refused a call for the gallery at {self.uri}: {what}")
        return ConnectionError(
            f"the gallery at {self.uri} cannot be reached: {what}. Start the server, or correct the URI or the "
            f"environment variable {TOKEN}"
        )


def _start_lite(file: Path, uri: str) -> None:
    """Starts Milvus Lite, so that pymilvus finds it running; it runs until the process ends."""
    try:
        from milvus_lite.server_manager import server_manager_instance
    except ImportError as error:
        raise ImportError("a gallery in a file is kept by Milvus Lite: pip install 'hf-fashion[milvus]'") from error
    logging.getLogger("milvus_lite").setLevel(logging.CRITICAL)
    file.parent.mkdir(parents=True, exist_ok=True)
    if server_manager_instance.start_and_get_uri(str(file)) is None:
        raise OSError(
            f"the gallery at {uri} cannot be opened: another process has it open, and only one can, or its files "
            "are damaged. Close it there, or keep the gallery on a Milvus server"
        )


def require_pymilvus() -> ModuleType:
    """Return pymilvus.

    Raises:
        ImportError: it is not installed.
    """
    try:
        import pymilvus
    except ImportError as error:
        raise ImportError("a gallery at such a URI is kept in Milvus: pip install 'hf-fashion[milvus]'") from error
    # It prints a traceback for every error that it raises.
    logging.getLogger("pymilvus").setLevel(logging.CRITICAL)
    return pymilvus
