"""Builds and tunes Milvus's indexes: one for each vector field, and one for each field that filters use."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from .columns import MilvusColumns
from .connection import MilvusConnection, MilvusRefusal


# Kinds of index. IVF_RABITQ keeps one bit a dimension, and eight to compare the rows that it has found.
KINDS = ("IVF_RABITQ", "IVF_SQ8", "HNSW")
LITE_KINDS = ("IVF_SQ8", "HNSW")
_OTHER_NAMES = {"IVF_RQ": "IVF_RABITQ"}  # LanceDB's name, which is the default of `Gallery.build_index`
_GROUPS, _GROUPS_SEARCHED = 1024, 64
_REFINE_FACTOR = 10
_SEARCHED_AT_LEAST, _SEARCHED_AT_MOST = 128, 32_768  # rows of an HNSW; servers take no more


def build(connection: MilvusConnection, collection: str, columns: MilvusColumns, kind: str, rows: int) -> None:
    """Index vector fields, and all others that an index serves; replace the indexes that are there. Meanwhile nobody
    can read the collection. Fields that the server refuses to index are compared row by row.

    Args:
        connection (`MilvusConnection`): to the server.
        collection (`str`): the gallery's.
        columns (`MilvusColumns`): its columns.
        kind (`str`): one of `KINDS`, or LanceDB's name for one.
        rows (`int`): number of rows.

    Raises:
        ValueError: there is no such kind on this server.
    """
    kind = _known(connection, kind)
    connection.call("flush", collection)  # segments that rows are still written to have no index
    connection.call("release_collection", collection)
    for field in connection.call("list_indexes", collection):
        if field in connection.call("list_indexes", collection):  # Milvus Lite drops all of them at once
            connection.call("drop_index", collection, field)
    try:
        for field in columns.vectors:
            connection.create_index(collection, field, kind, _build_parameters(kind, rows))
        for field in _filtered(connection, columns):
            connection.create_index(collection, field, "INVERTED", {})
    except MilvusRefusal as error:
        raise ValueError(f"`kind` {kind!r} cannot be built: {error}. Others are {list(KINDS)}") from None
    finally:
        connection.load(collection, columns.vectors)


def describe(connection: MilvusConnection, collection: str, fields: Sequence[str]) -> dict[str, tuple[str, int]]:
    """Return for each indexed vector field the kind of its index and the number of rows in it; fields whose rows are
    compared one by one, or whose index is missing, are left out.

    Args:
        connection (`MilvusConnection`): to the server.
        collection (`str`): the gallery's.
        fields (`Sequence[str]`): names of vector fields.
    """
    found = {field: connection.call("describe_index", collection, field) for field in fields}
    return {
        field: (one["index_type"], int(one["indexed_rows"]))
        for field, one in found.items()
        if one and one["index_type"] != "FLAT"
    }


def search_parameters(kind: str | None, top_k: int, far: bool = False) -> dict[str, Any]:
    """Return how far a search goes in an index.

    Args:
        kind (`str`, *optional*): the kind of the index; `None` without an index.
        top_k (`int`): rows that are asked for.
        far (`bool`, *optional*, defaults to `False`): search all groups, or as far as an HNSW allows.
    """
    if kind == "HNSW":
        return {"ef": _SEARCHED_AT_MOST if far else max(top_k, _SEARCHED_AT_LEAST)}
    groups = {"nprobe": _GROUPS if far else _GROUPS_SEARCHED}
    if kind == "IVF_RABITQ":
        return groups | {"refine_k": _REFINE_FACTOR}
    return groups if kind else {}


def _known(connection: MilvusConnection, kind: str) -> str:
    there = LITE_KINDS if connection.is_lite else KINDS
    if _OTHER_NAMES.get(kind, kind) not in there:
        where = "in Milvus Lite" if connection.is_lite else "in Milvus"
        raise ValueError(f"`kind` must be one of {list(there)} {where}, got {kind!r}")
    return _OTHER_NAMES.get(kind, kind)


def _build_parameters(kind: str, rows: int) -> dict[str, Any]:
    if kind == "HNSW":
        return {"M": 16, "efConstruction": 200}
    groups = {"nlist": max(1, min(_GROUPS, 4 * math.isqrt(rows)))}
    return groups | ({"refine": True, "refine_type": "SQ8"} if kind == "IVF_RABITQ" else {})


def _filtered(connection: MilvusConnection, columns: MilvusColumns) -> Sequence[str]:
    """The fields that an index serves; Milvus Lite has none for lists."""
    lists = [columns.fields[name] for name, kind in columns.metadata.items() if hasattr(kind, "value_type")]
    names = [columns.fields[name] for name in columns.metadata]
    return [name for name in names if not (connection.is_lite and name in lists)]
