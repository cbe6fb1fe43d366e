"""Choose the database of a gallery by its URI."""

from __future__ import annotations

from collections.abc import Mapping

import pyarrow as pa

from .base import VectorStore
from .lance.store import LanceStore
from .milvus.address import is_milvus
from .milvus.store import MilvusStore


def create_store(uri: str, schema: pa.Schema, attachments: Mapping[str, bytes] | None = None) -> VectorStore:
    """Create an empty table.

    Args:
        uri (`str`): `milvus+http://host:19530/collection` and the like for Milvus; all others are LanceDB's.
        schema (`pyarrow.Schema`): the columns, `id` among them.
        attachments (`Mapping[str, bytes]`, *optional*): what [`VectorStore.attachments`] returns.

    Raises:
        FileExistsError: there is a gallery at `uri`.
        OSError: there are the remains of one, or the server cannot be reached.
        ValueError: the database cannot keep such columns, or the URI has no form that is known.
    """
    return _store(uri).create(uri, schema, attachments)


def open_store(uri: str) -> VectorStore:
    """Open a table.

    Args:
        uri (`str`): what [`create_store`] was given.

    Raises:
        FileNotFoundError: there is no gallery at `uri`.
        OSError: the table is damaged, or the server cannot be reached.
        ValueError: hf_fashion did not write what is there, or the URI has no form that is known.
    """
    return _store(uri).open(uri)


def _store(uri: str) -> type[LanceStore] | type[MilvusStore]:
    return MilvusStore if is_milvus(uri) else LanceStore
