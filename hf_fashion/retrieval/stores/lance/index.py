"""Build and describe the indexes of a gallery's table in LanceDB: one a vector column, one a column of filters."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import pyarrow.types as kinds_of


# Name -> LanceDB's class. IVF_RQ keeps one bit a dimension next to the vectors.
KINDS = {"IVF_RQ": "IvfRq", "IVF_HNSW_SQ": "HnswSq"}
# IVF_RQ has half the square root of N groups: for a million rows 500 groups of 2,000. A query searches this number of
# them; a query with a filter, which leaves fewer rows of each, the second (benchmarks/gallery_index.py).
GROUPS_SEARCHED = 40
GROUPS_SEARCHED_FILTERED = 80
# Rows found by their codes and then compared by their vectors: a number for each row that is asked for, and a minimum.
# Codes of one bit a dimension find half of the ten nearest; with this comparison it is 99 %.
REFINE_FACTOR = 10
REFINED_AT_LEAST = 100


def build(table, columns: Sequence[str], kind: str) -> None:
    """Index vector columns, and all other columns that an index can serve, in place of older indexes.

    Args:
        table (`lancedb.table.Table`): the gallery's.
        columns (`Sequence[str]`): the vector columns.
        kind (`str`): one of `KINDS`.

    Raises:
        ValueError: there is no such kind, or it cannot hold vectors of such a dimension.
    """
    if kind not in KINDS:
        raise ValueError(f"`kind` must be one of {list(KINDS)}, got {kind!r}")
    odd = [table.schema.field(name).type.list_size for name in columns if table.schema.field(name).type.list_size % 8]
    if kind == "IVF_RQ" and odd:
        raise ValueError(f"`kind` 'IVF_RQ' needs dimensions divisible by 8, got {odd[0]}. Choose 'IVF_HNSW_SQ'")
    from lancedb import index

    groups = {"num_partitions": max(1, math.isqrt(table.count_rows()) // 2)} if kind == "IVF_RQ" else {}
    for field in table.schema:
        if field.name in columns:
            table.create_index(field.name, config=getattr(index, KINDS[kind])("cosine", **groups), replace=True)
        elif filter_index := _filter_index(field.type):
            table.create_index(field.name, config=getattr(index, filter_index)(), replace=True)


def describe(table) -> dict[str, tuple[str, int, int]]:
    """Return the kind of each vector column's index, its number of rows, and the number of rows that it lacks.

    Args:
        table (`lancedb.table.Table`): the gallery's.
    """
    names = {kind.replace("_", "").lower(): kind for kind in KINDS}  # LanceDB says "IvfRq"
    return {
        one.columns[0]: (names[one.index_type.lower()], one.num_indexed_rows, one.num_unindexed_rows)
        for one in table.list_indices()
        if one.index_type.lower() in names
    }


def tuned(query, top_k: int, groups: int) -> Any:
    """Return a query that searches far enough in an index; without an index it is unchanged.

    Args:
        query (`lancedb.query.LanceQueryBuilder`): a search.
        top_k (`int`): rows that are asked for.
        groups (`int`): how many are searched, 0 for all.
    """
    refine_factor = max(REFINE_FACTOR, REFINED_AT_LEAST // top_k)
    # LanceDB searches all groups where the maximum is 0, whatever it has found in the first ones.
    return query.minimum_nprobes(groups or 1).maximum_nprobes(groups).refine_factor(refine_factor)


def _filter_index(kind: pa.DataType) -> str | None:
    """Return the class of LanceDB that indexes a column for filters; lists of dates or fractions have none."""
    if kinds_of.is_list(kind) or kinds_of.is_large_list(kind):
        inner = kind.value_type
        return "LabelList" if kinds_of.is_string(inner) or kinds_of.is_integer(inner) else None
    return "Bitmap" if kinds_of.is_large_string(kind) else "BTree"
