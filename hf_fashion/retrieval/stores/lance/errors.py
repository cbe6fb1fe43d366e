"""LanceDB's errors, translated: what is wrong, and what to do."""

from __future__ import annotations

import errno
import re
from collections.abc import Callable
from functools import wraps
from typing import TypeVar

from ..base import damage


Method = TypeVar("Method", bound=Callable)


def unreachable(uri: str, error: Exception) -> ConnectionError:
    """Return the error for a place that does not answer.

    Args:
        uri (`str`): the place.
        error (`Exception`): LanceDB's.
    """
    return ConnectionError(
        f"the gallery at {uri} cannot be reached, and may or may not exist. Check the URI, the network "
        "and the credentials, for s3:// in AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_REGION and AWS_ENDPOINT_URL. "
        f"LanceDB's error: {error}"
    )


def failure(uri: str, error: Exception) -> OSError | ValueError:
    """Return the error for a call that failed. LanceDB has one class for all reasons; only its text tells them apart.

    Args:
        uri (`str`): where the table is.
        error (`Exception`): LanceDB's.
    """
    text = str(error)
    of_system = re.search(r"os error (\d+)", text)
    if "filter expression" in text or "Unsupported data type" in text:
        return ValueError(
            f"LanceDB takes no such filter or type of column; the gallery at {uri} is as it was. Filter by another "
            f"column, or convert this one in the catalogue: {text}"
        )
    if "://" in uri and re.search(r"Generic (?!LocalFileSystem)\w+ error", text):
        return unreachable(uri, error)
    if of_system and int(of_system[1]) != errno.ENOENT:  # a missing file is damage
        return OSError(
            f"the gallery at {uri} could not be read or changed; its products are kept. Check the disk's free "
            f"space and the permissions, and try again: {text}"
        )
    if "commit conflict" in text.lower():
        return OSError(
            f"the gallery at {uri} was not changed, because another process changed it at the same time. Try "
            f"again: {text}"
        )
    if "_indices" in text:
        return OSError(
            f"files of an index of the gallery at {uri} are missing or unreadable; its products are kept. Build it "
            f"again with `build_index`: {text}"
        )
    return damage(uri, error)


def translated_errors(method: Method) -> Method:
    """Wrap a method of a store so that LanceDB's RuntimeErrors, which are about files and disks, become [`failure`]s.

    ValueErrors stay, and so do Python's own subclasses of RuntimeError: these are mistakes of the caller.

    Args:
        method (`Callable`): a method of a class with `uri`.
    """

    @wraps(method)
    def translated(self, *arguments, **keywords):
        try:
            return method(self, *arguments, **keywords)
        except RuntimeError as error:
            if type(error) is not RuntimeError:
                raise
            raise failure(self.uri, error) from error

    return translated
