"""How a gallery finds products: in memory while it is small, by its store when it is large."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import torch
from torch import Tensor

from .exact_search import ExactSearch, rounded
from .gallery_schema import ID, GallerySchema, vectors_of
from .results import RetrievalResults
from .vector_store import VectorStore, damage


# Galleries with at most so many products are searched exactly, in memory; larger ones by the store. In memory a space
# of d dimensions takes 4 d bytes a product. Here 32 queries of 512 dimensions cost as much through an index (a single
# one does from 30,000 products); without an index the store's search is never the cheaper one
# (benchmarks/exact_search_limit.py).
EXACT_SEARCH_LIMIT = 100_000


class GallerySearch:
    """Both ways to search a gallery's table, and its vectors by id.

    Args:
        store (`VectorStore`): the table.
        schema (`GallerySchema`): what its columns are.
    """

    def __init__(self, store: VectorStore, schema: GallerySchema):
        self.schema = schema
        self._store = store
        self._in_memory: dict[str, tuple[int, ExactSearch]] = {}  # space -> version of the table, search

    def in_memory(self) -> bool:
        """Whether the gallery is small enough to be searched in memory."""
        return self._store.count() <= EXACT_SEARCH_LIMIT

    def nearest(self, queries: Tensor, space: str, top_k: int, filter: str | None) -> RetrievalResults:
        """The products with the largest cosines to each query, by descending score, of equal ones by id.

        Args:
            queries (`torch.Tensor` of shape `(Q, d)`): L2-normalised, float32, on the CPU.
            space (`str`): the space they are in.
            top_k (`int`): products for a query.
            filter (`str`, *optional*): SQL condition that products must meet to be found.

        Raises:
            ValueError: `filter` is no condition on the table.
        """
        version = self._store.refresh()
        if self.in_memory():
            allowed_ids = None if filter is None else self._store.read([ID], filter)[ID]
            found, query, scores = self._exact(space, version).search(queries, top_k, allowed_ids)
        else:
            column = self.schema.column(space)
            columns = [ID, *self.schema.metadata.names, column]
            found = self._store.nearest(queries.numpy(), column, top_k, columns, filter)
            query = torch.tensor(found["query_index"].to_numpy())
            scores = rounded((queries[query] * self._vectors_of(found, space)).sum(-1))
        return self._results(found, query, scores, len(queries))

    def vectors(self, ids: Sequence[str], space: str) -> Tensor:
        """The vectors of N ids: (N, d), L2-normalised, float32.

        Args:
            ids (`Sequence[str]`): one may come several times.
            space (`str`): of which space.

        Raises:
            ValueError: there is no such space, or no product of such an id.
        """
        version = self._store.refresh()
        products = self._exact(space, version) if self.in_memory() else self._read_exact(space, sorted(set(ids)))
        return products.vectors_of(ids)

    def _results(self, found: pa.Table, query: Tensor, scores: Tensor, number: int) -> RetrievalResults:
        """Products, each found for one of `number` queries, as ranked lists."""
        keys = pa.table([query.numpy(), scores.numpy(), found[ID]], names=["query", "score", ID])
        by_rank = pc.sort_indices(keys, [("query", "ascending"), ("score", "descending"), (ID, "ascending")])
        found, scores = found.take(by_rank), scores[torch.tensor(by_rank.to_numpy(), dtype=torch.long)]
        lengths = query.bincount(minlength=number)
        places = torch.arange(max(lengths.tolist(), default=0))
        padded = torch.full((number, len(places)), -math.inf).masked_scatter(places < lengths[:, None], scores)
        ends = lengths.cumsum(0).tolist()
        columns = self.schema.metadata.names
        return RetrievalResults(
            ids=_lists(found[ID].to_pylist(), ends),
            scores=padded,
            metadata=_lists(found.select(columns).to_pylist(), ends) if columns else None,
        )

    def _exact(self, space: str, version: int) -> ExactSearch:
        """The space in memory, read again where the table has another version now."""
        if space not in self._in_memory or self._in_memory[space][0] != version:
            self._in_memory[space] = (version, self._read_exact(space))
        return self._in_memory[space][1]

    def _read_exact(self, space: str, ids: Sequence[str] | None = None) -> ExactSearch:
        column = self.schema.column(space)
        table = self._store.read([ID, *self.schema.metadata.names, column], ids=ids)
        return ExactSearch(table.drop_columns(column), self._vectors_of(table, space))

    def _vectors_of(self, table: pa.Table, space: str) -> Tensor:
        try:
            return vectors_of(table[self.schema.column(space)])
        except ValueError as error:
            raise damage(self._store.uri, f"{error} (space {space!r})") from error


def _lists(values: list[Any], ends: Sequence[int]) -> list[list[Any]]:
    return [values[start:end] for start, end in pairwise([0, *ends])]
