"""Reads again before anything is called damaged: another process may just have changed what was read."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

from .errors import failure
from .tables import TABLE, newest_version, open_table, table_folder


Method = TypeVar("Method", bound=Callable)

# Seconds before a read is tried again. A version that a compaction has removed is found at the first try after it; a
# gallery that another process replaces is there again when that process has written it.
PAUSES = (0.0, 0.05, 0.2)


class GalleryLost(OSError):
    """The table that was opened is not there any more, or its newest version is not: reading again does not help."""


def reads_again(method: Method) -> Method:
    """Wrap a read so that it is tried again, on the newest version, before its error becomes a [`failure`].

    Args:
        method (`Callable`): a method of a class with `uri` and `catch_up`, which changes nothing.
    """

    @wraps(method)
    def reading(self, *arguments, **keywords):
        try:
            return method(self, *arguments, **keywords)
        except (OSError, RuntimeError, ValueError) as error:
            if isinstance(error, GalleryLost) or not _is_lancedbs(error):
                raise
            failed = error
        for pause in PAUSES:
            time.sleep(pause)
            try:
                self.catch_up()
                return method(self, *arguments, **keywords)
            except GalleryLost:
                raise
            except (OSError, RuntimeError, ValueError) as error:
                failed = error
        raise _named(self.uri, failed) from failed

    return reading


def open_newest(uri: str) -> Any:
    """Open a gallery's table.

    Args:
        uri (`str`): a folder, or a URI of object storage.

    Returns:
        `lancedb.table.Table`: LanceDB's.

    Raises:
        FileNotFoundError: there is no gallery.
        OSError: it is damaged or has lost its newest version, or the place cannot be reached.
    """
    written = newest_version(uri, TABLE)  # before the table is read: later it may be newer than that
    table = open_table(uri, TABLE)
    if written is not None and table.version < written:  # another gallery may just have been made here
        written, table = newest_version(uri, TABLE), open_table(uri, TABLE)
    require_newest(uri, table, written)
    return table


def require_newest(uri: str, table: Any, written: int | None) -> None:
    """Raise if a table does not have the version that was written last.

    Args:
        uri (`str`): where the gallery is.
        table (`lancedb.table.Table`): LanceDB's, just opened or brought up to date.
        written (`int`, *optional*): [`newest_version`] before that; none where it is not known.

    Raises:
        GalleryLost: its version is an older one.
    """
    if written is not None and table.version < written:
        versions = table_folder(uri, TABLE) / "_versions"
        raise GalleryLost(
            f"the gallery at {uri} has lost its newest version, {written}: the file of that version in {versions} is "
            f"missing, and what is left is version {table.version}. Restore the folder from a backup. To go on with "
            f"version {table.version}, rename latest_version_hint.json in it, and embed again what was changed since"
        )


def _is_lancedbs(error: Exception) -> bool:
    """Whether it is about files and disks; Python's own subclasses of RuntimeError are mistakes of the caller."""
    return not isinstance(error, RuntimeError) or type(error) is RuntimeError


def _named(uri: str, error: Exception) -> OSError:
    if "://" not in uri and not table_folder(uri, TABLE).is_dir():
        return GalleryLost(f"the gallery at {uri} is not there any more: another process has deleted or moved it")
    return failure(uri, error)
