"""Holds the files of a push until they are on the Hub."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..files import is_full_disk, temporary_folder
from .failures import PushError


@contextmanager
def staged_folder(name: str) -> Iterator[Path]:
    """Yield the path of a folder to save files in for a push, and remove what is there when the block ends.

    Args:
        name (`str`): of the folder, which does not exist yet.

    Raises:
        PushError: the disk is full.
    """
    try:
        with temporary_folder("hf_fashion_push") as work:
            yield work / name
    except Exception as error:  # each library has an error of its own for a full disk
        if not is_full_disk(error):
            raise
        raise PushError(
            f"nothing was pushed: {tempfile.gettempdir()} has no space for the files of the push ({error}). Free some "
            "or set TMPDIR to a folder on another disk, and push again"
        ) from error
