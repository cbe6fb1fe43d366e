"""Search of a gallery: in memory while it is small, by its store when it is large."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import pyarrow as pa
import torch
from torch import Tensor

from .exact_search import ExactSearch
from .results import RetrievalResults, padded
from .schema import ID
from .store_search import by_rank, search_store
from .stores.base import VectorStore, damage
from .stores.conditions.tree import Condition
from .vector_column import Space, StoredVectors


# Galleries of at most this many products are searched exactly, in memory; larger ones by the store. In memory a space
# takes as many bytes as on disk: two for each stored dimension. At this size, 32 queries of 512 dimensions cost the
# same in memory and through an index (one query does from 30,000 products); without an index the store's search is
# never cheaper (benchmarks/exact_search_limit.py).
EXACT_SEARCH_LIMIT = 100_000


class GallerySearch:
    """Both ways to search a gallery's table, and its vectors by id.

    Args:
        store (`VectorStore`): the table.
        metadata_columns (`Sequence[str]`): columns that are returned with each candidate.
    """

    def __init__(self, store: VectorStore, metadata_columns: Sequence[str]):
        self._store = store
        self._columns = [ID, *metadata_columns]
        self._counted: tuple[int, int] | None = None  # a version of the table, and its number of products
        self._memory: tuple[int, ExactSearch] | None = None  # a version of the table, and what was read of it

    def in_memory(self) -> bool:
        """Return whether the gallery is small enough to be searched in memory."""
        return self._is_small(self._store.refresh())

    def search(
        self, queries: Tensor, space: Space, top_k: int, filter: Condition | None, with_vectors: bool = False
    ) -> RetrievalResults:
        """Find the products with the largest cosines to each query, by descending score, of equal ones by id.

        Args:
            queries (`torch.Tensor` of shape `(Q, d)`): L2-normalised, float32, on the CPU.
            space (`Space`): the space of the queries.
            top_k (`int`): candidates of a query.
            filter (`Condition`, *optional*): condition that candidates must meet.
            with_vectors (`bool`, *optional*, defaults to `False`): whether results keep the candidates' vectors.
        """
        version = self._store.refresh()
        reduced = space.reduced(queries)
        if self._is_small(version):
            allowed_ids = None if filter is None else self._store.read([ID], filter)[ID]
            products = self._exact(space, version)
            rows, query, scores = products.search(space.name, reduced, top_k, allowed_ids)
            found, stored = products.products.take(rows.numpy()), products.vectors_of(space.name)
        else:
            hits = search_store(self._store, space, reduced, top_k, self._columns, filter)
            found, query, scores, stored = hits.rows, hits.query, hits.scores, hits.vectors
            rows = torch.arange(len(found))
        order = by_rank(found[ID], query, scores)
        vectors = space.restored(stored[rows[order]].directions()) if with_vectors else None
        return self._results(found.take(order.numpy()), query.bincount(minlength=len(queries)), scores[order], vectors)

    def vectors(self, ids: Sequence[str], space: Space) -> Tensor:
        """Return the vectors of N ids: (N, d), L2-normalised, float32.

        Args:
            ids (`Sequence[str]`): ids; one may come several times.
            space (`Space`): the space of the vectors.

        Raises:
            ValueError: there is no product with one of the ids.
        """
        version = self._store.refresh()
        products = self._exact(space, version) if self._is_small(version) else self._only(space, sorted(set(ids)))
        return space.restored(products.directions_of(space.name, ids))

    def _is_small(self, version: int) -> bool:
        if self._counted is None or self._counted[0] != version:
            self._counted = (version, self._store.count())
        return self._counted[1] <= EXACT_SEARCH_LIMIT

    def _results(self, found: pa.Table, lengths: Tensor, scores: Tensor, vectors: Tensor | None) -> RetrievalResults:
        """Candidates of all queries, query after query and each list by rank, as results."""
        mask = torch.arange(max(lengths.tolist(), default=0)) < lengths[:, None]  # (Q, K)
        ends = lengths.cumsum(0).tolist()
        columns = self._columns[1:]
        return RetrievalResults(
            ids=_lists(found[ID].to_pylist(), ends),
            scores=padded(scores, mask, -math.inf),
            metadata=_lists(found.select(columns).to_pylist(), ends) if columns else None,
            vectors=None if vectors is None else padded(vectors, mask, 0),
        )

    def _exact(self, space: Space, version: int) -> ExactSearch:
        """Return the products in memory, with the space; read them again if the table has another version now."""
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
        """Read some products in one space."""
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
