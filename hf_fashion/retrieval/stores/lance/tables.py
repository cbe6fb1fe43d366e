"""Opens and creates LanceDB's tables, with errors that say what is wrong with the place."""

from __future__ import annotations

import os
from pathlib import Path
from types import ModuleType
from typing import Any

import pyarrow as pa

from ..base import damage
from .errors import failure, unreachable


def absolute_place(uri: str) -> str:
    """Return a place that means the same after the process has changed its folder; `~` is the user's home.

    Args:
        uri (`str`): a folder, or a URI of object storage, which stays as it is.
    """
    return uri if "://" in uri else str(Path(uri).expanduser().absolute())


def open_table(uri: str, name: str) -> Any:
    """Open a table.

    Args:
        uri (`str`): a folder, or a URI of object storage.
        name (`str`): the table's name.

    Returns:
        `lancedb.table.Table`: LanceDB's.

    Raises:
        FileNotFoundError: there is no such table.
        OSError: it is damaged, or the place cannot be reached.
    """
    remote = "://" in uri
    folder = Path(uri, f"{name}.lance")  # only where the place is not remote
    if not remote and not folder.is_dir():
        raise FileNotFoundError(f"there is no gallery at {uri}")
    try:
        return _connect(uri).open_table(name)
    except ValueError as error:  # no version was ever committed: at most its creation was interrupted
        if remote and "was not found" not in str(error):
            raise unreachable(uri, error) from error
        if any(folder.glob("data/*")):
            raise damage(uri, "there are data, but no version of the table") from error
        raise FileNotFoundError(f"there is no gallery at {uri}") from error
    except RuntimeError as error:
        raise failure(uri, error) from error


def create_table(uri: str, name: str, content: pa.Schema | pa.Table, overwrite: bool = False) -> Any:
    """Create a table.

    Args:
        uri (`str`): a folder, or a URI of object storage.
        name (`str`): the table's name.
        content (`pyarrow.Schema` or `pyarrow.Table`): its columns, or its rows too.
        overwrite (`bool`, *optional*, defaults to `False`): whether a table of this name may be replaced.

    Returns:
        `lancedb.table.Table`: LanceDB's.

    Raises:
        FileExistsError: there is a table of this name, and it may not be replaced.
        OSError: the place cannot be reached or written.
    """
    argument = "schema" if isinstance(content, pa.Schema) else "data"
    try:
        database = _connect(uri)
        if overwrite:
            database.drop_table(name, ignore_missing=True)
        return database.create_table(name, **{argument: content})
    except ValueError as error:
        if "already exists" not in str(error):
            raise
        raise FileExistsError(f"another process has created the gallery at {uri} meanwhile; open it") from error
    except RuntimeError as error:
        raise failure(uri, error) from error


def _connect(uri: str) -> Any:
    lancedb = _lancedb()
    try:
        return lancedb.connect(uri)
    except (ValueError, RuntimeError) as error:  # of object storage, which it asks at once
        raise unreachable(uri, error) from error


def _lancedb() -> ModuleType:
    # It warns of every group of an index in which an added part has no rows; that is harmless.
    os.environ.setdefault("LANCE_LOG", "error")
    try:
        import lancedb
    except ImportError as error:
        raise ImportError("a gallery is kept in LanceDB: pip install 'hf-fashion[gallery]'") from error
    return lancedb
