"""Parses the URI of a gallery in Milvus."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit


FORMS = "'milvus+http://host:19530/collection', 'milvus+https://host/collection' or 'milvus+file:/folder/file.db'"
FILE_COLLECTION = "gallery"  # in a database file, whose URI names no collection
_MILVUS = re.compile(r"milvus(\+\w+)?:")
# Milvus's own rule, with room for the name of the second collection.
_COLLECTION = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,199}")


@dataclass(frozen=True)
class MilvusAddress:
    """A server or a database file, and a collection there.

    Args:
        uri (`str`): the whole URI.
        endpoint (`str`): what pymilvus connects to: `http://host:19530`, or the path of a database file.
        collection (`str`): the collection's name.
    """

    uri: str
    endpoint: str
    collection: str

    @classmethod
    def parse(cls, uri: str) -> MilvusAddress:
        """Parse a URI.

        Args:
            uri (`str`): one for which [`is_milvus`] is true.

        Raises:
            ValueError: the URI has another form, holds a user or password, or names a server as pymilvus names a file.
        """
        parts = urlsplit(uri.removeprefix("milvus+"))
        if "@" in uri and parts.scheme != "file":  # the error must not show it
            raise ValueError(
                "a gallery's URI must hold no user or password: put the token, or 'user:password', into the "
                "environment variable MILVUS_TOKEN"
            )
        if parts.scheme == "file" and not parts.netloc and parts.path.endswith(".db"):
            return cls(uri, parts.path, FILE_COLLECTION)
        collection = parts.path.removeprefix("/")
        whole = parts.scheme in ("http", "https") and parts.netloc and not parts.query and not parts.fragment
        if not whole or not _COLLECTION.fullmatch(collection):
            raise ValueError(
                f"a gallery in Milvus must have a URI such as {FORMS}, where the collection's name has only "
                f"letters, digits and '_', got {re.split('[?#]', uri)[0]!r}"
            )
        if parts.netloc.endswith(".db"):
            raise ValueError(
                f"pymilvus takes a host whose name ends in .db for a file, got {parts.netloc!r}: add its port"
            )
        return cls(uri, f"{parts.scheme}://{parts.netloc}", collection)

    @property
    def file(self) -> Path | None:
        """The database file of Milvus Lite; none for a server."""
        return None if self.endpoint.startswith(("http://", "https://")) else Path(self.endpoint)


def is_milvus(uri: str) -> bool:
    """Return whether a gallery at this URI is kept in Milvus.

    Args:
        uri (`str`): the gallery's.
    """
    return bool(_MILVUS.match(uri))
