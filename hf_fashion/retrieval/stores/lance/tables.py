"""Opens and creates LanceDB's tables, with errors that say what is wrong with the place."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from types import ModuleType
from typing import Any

import pyarrow as pa

from ..base import damage
from .errors import failure, unreachable


TABLE = "gallery"
PAUSES = (0.05, 0.2)  # seconds before a table that cannot be opened is opened again: it may just be replaced


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
    for pause in PAUSES:
        try:
            return _open_table(uri, name)
        except (FileNotFoundError, ConnectionError):
            raise
        except OSError:
            time.sleep(pause)
    return _open_table(uri, name)


def newest_version(uri: str, name: str) -> int | None:
    """Return the number of the version that was written last, from the note that LanceDB keeps next to the versions;
    none where there is no note, or where the place is remote.

    Args:
        uri (`str`): a folder, or a URI of object storage.
        name (`str`): the table's name.
    """
    if "://" in uri:
        return None
    note = table_folder(uri, name) / "_versions" / "latest_version_hint.json"
    try:
        return int(json.loads(note.read_bytes())["version"])
    except (OSError, ValueError, LookupError, TypeError):  # it is a note only: a kill may have cut it off
        return None


def table_folder(uri: str, name: str) -> Path:
    """Return the folder of a table.

    Args:
        uri (`str`): a folder.
        name (`str`): the table's name.
    """
    return Path(uri, f"{name}.lance")


def _open_table(uri: str, name: str) -> Any:
    remote = "://" in uri
    folder = table_folder(uri, name)  # only where the place is not remote
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


def create_table(uri: str, name: str, content: pa.Schema | pa.Table) -> Any:
    """Create a table.

    Args:
        uri (`str`): a folder, or a URI of object storage.
        name (`str`): the table's name.
        content (`pyarrow.Schema` or `pyarrow.Table`): its columns, or its rows too.

    Returns:
        `lancedb.table.Table`: LanceDB's.

    Raises:
        FileExistsError: there is a table of this name.
        OSError: the place cannot be reached or written.
    """
    argument = "schema" if isinstance(content, pa.Schema) else "data"
    try:
        return _connect(uri).create_table(name, **{argument: content})
    except ValueError as error:
        if "already exists" not in str(error):
            raise
        raise FileExistsError(f"another process has created the gallery at {uri} meanwhile; open it") from error
    except RuntimeError as error:
        raise failure(uri, error) from error


def drop_tables(uri: str, prefix: str) -> None:
    """Remove tables.

    Args:
        uri (`str`): a folder, or a URI of object storage.
        prefix (`str`): what their names begin with.

    Raises:
        OSError: the place cannot be reached or written.
    """
    database = _connect(uri)
    try:
        for name in database.table_names(limit=10_000):
            if name.startswith(prefix):
                database.drop_table(name, ignore_missing=True)
    except RuntimeError as error:
        raise failure(uri, error) from error


def _connect(uri: str) -> Any:
    lancedb = require_lancedb()
    try:
        return lancedb.connect(uri)
    except (ValueError, RuntimeError) as error:  # of object storage, which it asks at once
        raise unreachable(uri, error) from error


def require_lancedb() -> ModuleType:
    """Return LanceDB's module.

    Raises:
        ImportError: it is not installed.
    """
    # It warns of every group of an index in which an added part has no rows; that is harmless.
    os.environ.setdefault("LANCE_LOG", "error")
    try:
        import lancedb
    except ImportError as error:
        raise ImportError("a gallery is kept in LanceDB: pip install 'hf-fashion[gallery]'") from error
    return lancedb
