"""Opens the database that a gallery's URI names."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pyarrow as pa

from .base import VectorStore
from .lance.store import LanceStore
from .milvus.address import is_milvus
from .milvus.store import MilvusStore


# Whether a URI is a database's -> its store. All other URIs are folders and object storage.
STORES: dict[Callable[[str], bool], type[VectorStore]] = {is_milvus: MilvusStore}
FOLDER_STORE: type[VectorStore] = LanceStore


def create_store(uri: str, schema: pa.Schema, attachments: Mapping[str, bytes] | None = None) -> VectorStore:
    """Create an empty table in the database that the URI names.

    Args:
        uri (`str`): the place, whose form tells the database.
        schema (`pyarrow.Schema`): the columns, `id` among them.
        attachments (`Mapping[str, bytes]`, *optional*): what [`VectorStore.attachments`] returns later.

    Raises:
        FileExistsError: there is a gallery at `uri`.
        OSError: there are the remains of a gallery, or the place cannot be reached.
        ValueError: the database cannot keep such columns, or the URI has an unknown form.
    """
    return _store(uri).create(uri, schema, attachments)


def open_store(uri: str) -> VectorStore:
    """Open a table in the database that the URI names.

    Args:
        uri (`str`): what [`create_store`] was given.

    Raises:
        FileNotFoundError: there is no gallery at `uri`.
        OSError: the table is damaged, or the place cannot be reached.
        ValueError: hf_fashion did not write what is there, or the URI has an unknown form.
    """
    return _store(uri).open(uri)


def require_database(uri: str) -> None:
    """Raise if the database that the URI names is not installed; for calls that do long work before they open it.

    Args:
        uri (`str`): the place, whose form tells the database.

    Raises:
        ImportError: the error names what to install.
    """
    _store(uri).require_installed()


def repair_store(uri: str) -> int:
    """Keep one row of each id, the one that was written last, and return how many others were removed.

    Args:
        uri (`str`): what [`create_store`] was given.

    Raises:
        FileNotFoundError: there is no gallery at `uri`.
        OSError: the table is damaged, or the place cannot be reached.
        ValueError: hf_fashion did not write what is there, or the URI has an unknown form.
    """
    return _store(uri).repair(uri)


def _store(uri: str) -> type[VectorStore]:
    return next((store for is_its_own, store in STORES.items() if is_its_own(uri)), FOLDER_STORE)
