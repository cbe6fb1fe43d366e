"""Reads and searches a gallery's collection in Milvus."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import pyarrow as pa

from ...schema import ID
from ..conditions.tree import Condition
from . import index as milvus_index
from .columns import MilvusColumns
from .connection import MilvusConnection
from .filter import milvus_filter
from .literals import one_of, text


MAX_ROWS = 16_384  # of one answer
IDS_AT_ONCE = 1000
# A server takes 64 MiB and returns 100 MiB in one message; this leaves room for rows larger than most.
MESSAGE_BYTES = 16 * 2**20


class MilvusReader:
    """Returns Milvus's answers as tables, each of one call or more.

    Args:
        connection (`MilvusConnection`): to the server.
        collection (`str`): the gallery's.
        columns (`MilvusColumns`): its columns.
    """

    def __init__(self, connection: MilvusConnection, collection: str, columns: MilvusColumns):
        self._connection = connection
        self._collection = collection
        self._columns = columns

    @property
    def max_top_k(self) -> int:
        """The largest `top_k` of a search."""
        return MAX_ROWS

    def count(self) -> int:
        """Return the number of rows."""
        return self._ask("query", filter="", output_fields=["count(*)"])[0]["count(*)"]

    def all(self, columns: Sequence[str], filter: Condition | None) -> pa.Table:
        """Read some columns of all rows that meet a filter.

        Args:
            columns (`Sequence[str]`): which columns.
            filter (`Condition`, *optional*): the condition.
        """
        return self._table(self._pages(columns, filter), columns)

    def some(self, columns: Sequence[str], ids: Sequence[str]) -> pa.Table:
        """Read some columns of the rows with these ids.

        Args:
            columns (`Sequence[str]`): which columns.
            ids (`Sequence[str]`): the ids; one may come several times.
        """
        fields, number = self._fields(columns), min(IDS_AT_ONCE, self._rows_at_once(columns))
        conditions = [one_of(ID, map(text, part)) for part in parts(list(dict.fromkeys(ids)), number)]
        answers = [self._ask("query", filter=condition, output_fields=fields) for condition in conditions]
        return self._table(answers, columns)

    def nearest(
        self, queries: np.ndarray, column: str, top_k: int, columns: Sequence[str], filter: Condition | None
    ) -> pa.Table:
        """Search the rows with the largest cosines to each query, as [`VectorStore.nearest`] does.

        Args:
            queries (`numpy.ndarray` of shape `(Q, d)`): float32.
            column (`str`): the vector column.
            top_k (`int`): rows for a query, at most `MAX_ROWS`.
            columns (`Sequence[str]`): what is returned of each row.
            filter (`Condition`, *optional*): rows that may be found.

        Raises:
            ValueError: `top_k` is larger than Milvus allows.
        """
        if top_k > MAX_ROWS:
            raise ValueError(f"`top_k` must be at most {MAX_ROWS:,} on Milvus, got {top_k:,}")
        kind = self._index_kind(column)
        options = {"anns_field": column, "limit": top_k, "output_fields": self._fields(columns)}
        number = max(1, self._rows_at_once(columns) // top_k)
        search = partial(self._search, parts(queries, number), self._expression(filter), **options)
        found = search(milvus_index.search_parameters(kind, top_k))
        if kind and sum(map(len, found)) < top_k * len(queries):  # few rows of the nearest groups meet the filter
            found = search(milvus_index.search_parameters(kind, top_k, far=True))
        table = self._columns.to_arrow([row for rows in found for row in rows], columns)
        lengths = np.array([len(rows) for rows in found], np.int64)
        return table.append_column("query_index", pa.array(np.arange(len(found), dtype=np.int32).repeat(lengths)))

    def _search(
        self, queries: Sequence[np.ndarray], expression: str, reach: Mapping[str, Any], **options: Any
    ) -> list[list[dict[str, Any]]]:
        """The rows of each query, which come in parts."""
        options |= {"filter": expression, "search_params": {"metric_type": "COSINE", "params": reach}}
        answers = [self._ask("search", data=list(part), **options) for part in queries]
        return [[{**hit["entity"], ID: hit[ID]} for hit in hits] for answer in answers for hits in answer]

    def _pages(self, columns: Sequence[str], filter: Condition | None) -> Iterator[Sequence[Mapping[str, Any]]]:
        """Rows by their ids, which Milvus compares as bytes. pymilvus's own iterator does the same, but does not
        escape the id that a page starts from."""
        number, condition = self._rows_at_once(columns), self._expression(filter)
        options = {"output_fields": self._fields(columns), "limit": number, "reduce_stop_for_best": True}
        page, after = None, condition
        while page is None or len(page) == number:
            page = self._ask("query", filter=after, iterator="True", **options)
            yield page
            last = f"{ID} > {text(max((row[ID] for row in page), default=''))}"
            after = f"{last} and {condition}" if condition else last

    def _table(self, answers: Iterator[Sequence[Mapping[str, Any]]], columns: Sequence[str]) -> pa.Table:
        tables = [self._columns.to_arrow(rows, columns) for rows in answers]
        return pa.concat_tables([self._columns.to_arrow([], columns), *tables])

    def _fields(self, columns: Sequence[str]) -> list[str]:
        return list(dict.fromkeys([ID, *(self._columns.fields[name] for name in columns)]))

    def _rows_at_once(self, columns: Sequence[str]) -> int:
        return max(1, min(MAX_ROWS, MESSAGE_BYTES // self._columns.row_bytes(columns)))

    def _expression(self, filter: Condition | None) -> str:
        return "" if filter is None else milvus_filter(filter, self._columns)

    def _index_kind(self, column: str) -> str | None:
        index = milvus_index.describe(self._connection, self._collection, [column])
        return index[column][0] if index else None

    def _ask(self, method: str, **options: Any) -> Any:
        return self._connection.call(method, self._collection, **options)


def parts(values: Any, number: int) -> list[Any]:
    """Return slices of values.

    Args:
        values (`Sequence` or `numpy.ndarray`): the values.
        number (`int`): values of each slice; the last one may have fewer.
    """
    return [values[start : start + number] for start in range(0, len(values), number)]
