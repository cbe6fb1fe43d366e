"""Lets one writer at a time change a gallery in a folder."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import TypeVar

from filelock import FileLock, Timeout
from transformers.utils import logging


Method = TypeVar("Method", bound=Callable)

logger = logging.get_logger(__name__)

LOCK = ".writer.lock"  # in the gallery's folder
QUIET_SECONDS = 10
# An index of a large gallery takes minutes.
PATIENCE_SECONDS = 3600


@contextmanager
def writers_lease(uri: str) -> Iterator[None]:
    """Hold the right to change a gallery, and wait while another process or thread holds it.

    It is a lock of the operating system on a file, so that it ends with its process, however that ends. Object storage
    has no such locks: there only the primary key keeps two writers from adding an id twice.

    Args:
        uri (`str`): a folder that exists, or a URI of object storage.

    Raises:
        TimeoutError: another writer has held it for `PATIENCE_SECONDS`.
        OSError: the folder cannot be written.
    """
    if "://" in uri:
        yield
        return
    lock = FileLock(Path(uri, LOCK), thread_local=False)
    try:
        try:
            lock.acquire(timeout=QUIET_SECONDS)
        except Timeout:
            logger.warning(f"another process is changing the gallery at {uri}: waiting until it has finished")
            lock.acquire(timeout=PATIENCE_SECONDS)
    except Timeout as error:
        raise TimeoutError(
            f"the gallery at {uri} was not changed: another process or thread has been changing it for more than "
            f"{PATIENCE_SECONDS // 60} minutes. End that one, or try again when it has finished"
        ) from error
    except OSError as error:
        raise OSError(
            f"the gallery at {uri} cannot be changed: {error}. Check the permissions of the folder"
        ) from error
    try:
        yield
    finally:
        lock.release()


def one_writer(method: Method) -> Method:
    """Wrap a method of a store that changes the table so that it holds [`writers_lease`].

    Args:
        method (`Callable`): a method of a class with `uri`.
    """

    @wraps(method)
    def leased(self, *arguments, **keywords):
        with writers_lease(self.uri):
            return method(self, *arguments, **keywords)

    return leased
