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
from .results import RetrievalResults
from .schema import ID
from .stores.base import VectorStore, damage
from .stores.conditions import Condition
from .vector_column import Space, StoredVectors


# Galleries with at most so many products are searched exactly, in memory; larger ones by the store. In memory a space
# takes as many bytes as on disk, two a stored dimension. Here 32 queries of 512 dimensions cost as much through an
# index (a single one does from 30,000 products); without an index the store's search is never the cheaper one
# (benchmarks/exact_search_limit.py).
EXACT_SEARCH_LIMIT = 100_000


class GallerySearch:
    """Both ways to search a gallery's table, and its vectors by id.

    Args:
        store (`VectorStore`): the table.
        metadata_columns (`Sequence[str]`): what comes with each product that is found.
    """

    def __init__(self, store: VectorStore, metadata_columns: Sequence[str]):
        self._store = store
        self._columns = [ID, *metadata_columns]
        self._counted: tuple[int, int] | None = None  # a version of the table, and its number of products
        self._memory: tuple[int, ExactSearch] | None = None  # a version of the table, and what was read of it

    def in_memory(self) -> bool:
        """Whether the gallery is small enough to be searched in memory."""
        return self._is_small(self._store.refresh())

    def nearest(self, queries: Tensor, space: Space, top_k: int, filter: Condition | None) -> RetrievalResults:
        """The products with the largest cosines to each query, by descending score, of equal ones by id.

        Args:
            queries (`torch.Tensor` of shape `(Q, d)`): L2-normalised, float32, on the CPU.
            space (`Space`): the space they are in.
            top_k (`int`): products for a query.
            filter (`Condition`, *optional*): what products must meet to be found.
        """
        version = self._store.refresh()
        queries = space.reduced(queries)
        if self._is_small(version):
            allowed_ids = None if filter is None else self._store.read([ID], filter)[ID]
            found, query, scores = self._exact(space, version).search(space.name, queries, top_k, allowed_ids)
        else:
            columns = [*self._columns, space.column]
            found = self._store.nearest(queries.numpy(), space.column, top_k, columns, filter)
            query = torch.tensor(found["query_index"].to_numpy())
            scores = rounded(self._stored(found, space).paired_cosines(queries[query]))
        return self._results(found, query, scores, len(queries))

    def vectors(self, ids: Sequence[str], space: Space) -> Tensor:
        """The vectors of N ids: (N, d), L2-normalised, float32.

        Args:
            ids (`Sequence[str]`): one may come several times.
            space (`Space`): of which space.

        Raises:
            ValueError: there is no product of such an id.
        """
        version = self._store.refresh()
        products = self._exact(space, version) if self._is_small(version) else self._only(space, sorted(set(ids)))
        return space.restored(products.vectors_of(space.name, ids))

    def _is_small(self, version: int) -> bool:
        if self._counted is None or self._counted[0] != version:
            self._counted = (version, self._store.count())
        return self._counted[1] <= EXACT_SEARCH_LIMIT

    def _results(self, found: pa.Table, query: Tensor, scores: Tensor, number: int) -> RetrievalResults:
        """Products, each found for one of `number` queries, as ranked lists."""
        keys = pa.table([query.numpy(), scores.numpy(), found[ID]], names=["query", "score", ID])
        by_rank = pc.sort_indices(keys, [("query", "ascending"), ("score", "descending"), (ID, "ascending")])
        found, scores = found.take(by_rank), scores[torch.tensor(by_rank.to_numpy(), dtype=torch.long)]
        lengths = query.bincount(minlength=number)
        places = torch.arange(max(lengths.tolist(), default=0))
        padded = torch.full((number, len(places)), -math.inf).masked_scatter(places < lengths[:, None], scores)
        ends = lengths.cumsum(0).tolist()
        columns = self._columns[1:]
        return RetrievalResults(
            ids=_lists(found[ID].to_pylist(), ends),
            scores=padded,
            metadata=_lists(found.select(columns).to_pylist(), ends) if columns else None,
        )

    def _exact(self, space: Space, version: int) -> ExactSearch:
        """What is in memory, the space with it; read again where the table has another version now."""
        if self._memory is None or self._memory[0] != version:
            self._memory = (version, ExactSearch(self._store.read(self._columns)))
        products = self._memory[1]
        if space.name in products:
            return products
        try:
            return self._hold(products, space, self._store.read([ID, space.column]))
        except LookupError:  # another process has changed the table between both reads
            table = self._store.read([*self._columns, space.column])
            self._memory = (version, self._hold(ExactSearch(table.select(self._columns)), space, table))
            return self._memory[1]

    def _only(self, space: Space, ids: Sequence[str]) -> ExactSearch:
        """Some products in one space."""
        table = self._store.read([ID, space.column], ids=ids)
        return self._hold(ExactSearch(table.select([ID])), space, table)

    def _hold(self, products: ExactSearch, space: Space, table: pa.Table) -> ExactSearch:
        products.hold(space.name, table[ID], self._stored(table, space))
        return products

    def _stored(self, table: pa.Table, space: Space) -> StoredVectors:
        try:
            return space.from_column(table[space.column])
        except ValueError as error:
            raise damage(self._store.uri, error) from error


def _lists(values: list[Any], ends: Sequence[int]) -> list[list[Any]]:
    return [values[start:end] for start, end in pairwise([0, *ends])]
