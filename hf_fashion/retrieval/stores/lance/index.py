"""Builds and tunes LanceDB's indexes: one for each vector column, and one for each column that filters use."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import pyarrow.types as kinds_of


# Name -> LanceDB's class. IVF_RQ keeps one bit a dimension next to the vectors.
KINDS = {"IVF_RQ": "IvfRq", "IVF_HNSW_SQ": "HnswSq"}
# IVF_RQ has half the square root of N groups: 500 for a million rows, each of 2,000. These are the numbers of groups
# searched for a query, without a filter and with one, which leaves fewer rows of each (benchmarks/gallery_index.py).
GROUPS_SEARCHED = 40
GROUPS_SEARCHED_FILTERED = 80
# Rows that are found by their codes and then compared by their vectors: for each row that is asked for, and in all at
# least. One bit a dimension finds half of the ten nearest by itself; with this it is 99 %.
REFINE_FACTOR = 10
REFINED_AT_LEAST = 100
# Types of which LanceDB makes an ordered index.
_ORDERED = (
    kinds_of.is_boolean,
    kinds_of.is_integer,
    kinds_of.is_floating,
    kinds_of.is_string,
    kinds_of.is_string_view,
    kinds_of.is_date,
    kinds_of.is_time,
    kinds_of.is_timestamp,
)


def build(table, columns: Sequence[str], kind: str) -> None:
    """Index vector columns, then all other columns that an index can serve; replace the indexes that are there.

    Args:
        table (`lancedb.table.Table`): LanceDB's.
        columns (`Sequence[str]`): the vector columns.
        kind (`str`): one of `KINDS`.

    Raises:
        ValueError: there is no such kind, or it cannot hold vectors of this dimension.
    """
    if kind not in KINDS:
        raise ValueError(f"`kind` must be one of {list(KINDS)}, got {kind!r}")
    odd = [table.schema.field(name).type.list_size for name in columns if table.schema.field(name).type.list_size % 8]
    if kind == "IVF_RQ" and odd:
        raise ValueError(f"`kind` 'IVF_RQ' needs dimensions divisible by 8, got {odd[0]}. Choose 'IVF_HNSW_SQ'")
    from lancedb import index

    groups = {"num_partitions": max(1, math.isqrt(table.count_rows()) // 2)} if kind == "IVF_RQ" else {}
    for name in columns:
        table.create_index(name, config=getattr(index, KINDS[kind])("cosine", **groups), replace=True)
    for field in table.schema:
        if field.name not in columns and (filter_index := _filter_index(field.type)):
            table.create_index(field.name, config=getattr(index, filter_index)(), replace=True)


def describe(table) -> dict[str, tuple[str, int, int]]:
    """Return for each indexed vector column the kind of its index, the rows in it, and the rows that are not.

    Args:
        table (`lancedb.table.Table`): LanceDB's.
    """
    names = {kind.replace("_", "").lower(): kind for kind in KINDS}  # LanceDB writes "IvfRq"
    return {
        one.columns[0]: (names[one.index_type.lower()], one.num_indexed_rows, one.num_unindexed_rows)
        for one in table.list_indices()
        if one.index_type.lower() in names
    }


def tuned(query, top_k: int, groups: int) -> Any:
    """Return a query that searches an index far enough; without an index nothing changes.

    Args:
        query (`lancedb.query.LanceQueryBuilder`): LanceDB's.
        top_k (`int`): rows that are asked for.
        groups (`int`): groups to search, 0 for all.
    """
    refine_factor = max(REFINE_FACTOR, REFINED_AT_LEAST // top_k)
    # Where the maximum is 0, LanceDB searches all groups, even if the first ones were enough.
    return query.minimum_nprobes(groups or 1).maximum_nprobes(groups).refine_factor(refine_factor)


def _filter_index(kind: pa.DataType) -> str | None:
    """LanceDB's class of index for a column that filters use; none where it has none: for lists of dates or fractions,
    decimals, durations, bytes, structs and the like."""
    if kinds_of.is_list(kind) or kinds_of.is_large_list(kind):
        inner = kind.value_type
        return "LabelList" if kinds_of.is_string(inner) or kinds_of.is_integer(inner) else None
    if kinds_of.is_large_string(kind):
        return "Bitmap"
    return "BTree" if any(is_kind(kind) for is_kind in _ORDERED) else None
