"""Search by a store: ask it for enough rows that the nearest are among them, products with equal scores too."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import pyarrow as pa
import pyarrow.compute as pc
import torch
from torch import Tensor
from torch.nn.functional import normalize

from .exact_search import rounded
from .schema import ID
from .stores.base import VectorStore, damage
from .stores.conditions.tree import Condition
from .vector_column import Space, StoredVectors


# A store orders rows by cosines of its own, which differ from ours, and cuts among equal ones anywhere. So it is asked
# for a few rows more than are wanted, and again for GROWTH times as many while a row that it left out may belong to
# those: where it left out products with the same photo as the last one.
EXTRA_ROWS = 5
GROWTH = 8
_ROUNDING = 2e-6  # of both scores that are compared, to six decimals


@dataclass(frozen=True)
class Hits:
    """The M rows that were found for some queries, by query, then descending score, then id.

    Args:
        rows (`pyarrow.Table`): their columns, M rows.
        query (`torch.Tensor` of shape `(M,)`): int64, number of the query of each row.
        scores (`torch.Tensor` of shape `(M,)`): cosines, rounded.
        vectors (`StoredVectors`): M stored vectors.
    """

    rows: pa.Table
    query: Tensor
    scores: Tensor
    vectors: StoredVectors

    def __getitem__(self, places: Tensor) -> Hits:
        """Return some of the rows.

        Args:
            places (`torch.Tensor`): bool (M,), or int64 of any length.
        """
        places = places.nonzero().flatten() if places.dtype == torch.bool else places
        rows = self.rows.take(places.numpy())
        return Hits(rows, self.query[places], self.scores[places], self.vectors[places])

    def by_rank(self) -> Hits:
        """Sort by query, then descending score, then id."""
        return self[by_rank(self.rows[ID], self.query, self.scores)]

    def first(self, number: int) -> Hits:
        """Return the first rows of each query.

        Args:
            number (`int`): the most rows of a query.
        """
        starts = torch.searchsorted(self.query, self.query)  # the place of the first row of the same query
        return self[torch.arange(len(self.query)) - starts < number]


def by_rank(ids: pa.ChunkedArray, query: Tensor, scores: Tensor) -> Tensor:
    """Return the order of M candidates by query, then descending score, then id: int64 (M,).

    Args:
        ids (`pyarrow.ChunkedArray`): M ids.
        query (`torch.Tensor` of shape `(M,)`): int64, number of the query of each.
        scores (`torch.Tensor` of shape `(M,)`): their scores.
    """
    keys = pa.table([query.numpy(), scores.numpy(), ids], names=["query", "score", ID])
    order = pc.sort_indices(keys, [("query", "ascending"), ("score", "descending"), (ID, "ascending")])
    return torch.tensor(order.to_numpy(), dtype=torch.long)


def search_store(
    store: VectorStore, space: Space, queries: Tensor, top_k: int, columns: Sequence[str], filter: Condition | None
) -> Hits:
    """Find the products with the largest cosines to each query; of equal ones, those whose ids come first.

    Args:
        store (`VectorStore`): a table.
        space (`Space`): a space of it.
        queries (`torch.Tensor` of shape `(Q, r)`): of the stored dimensions, float32.
        top_k (`int`): products for a query.
        columns (`Sequence[str]`): what is returned of each.
        filter (`Condition`, *optional*): products that may be found.

    Raises:
        OSError: stored vectors are damaged.
        ValueError: `top_k` is more than the store allows.
    """
    asked = _allowed(store, top_k, top_k + EXTRA_ROWS + top_k // 10)
    hits = _nearest(store, space, queries, asked, columns, filter)
    for query in _unsettled(hits, queries, top_k, asked, store.max_top_k):
        one = _settled(store, space, queries[query, None], top_k, asked, columns, filter)
        one = replace(one, query=one.query + query)
        hits = _joined(hits[hits.query != query], one)
    return hits.by_rank().first(top_k)


def _settled(
    store: VectorStore,
    space: Space,
    query: Tensor,
    top_k: int,
    asked: int,
    columns: Sequence[str],
    filter: Condition | None,
) -> Hits:
    """The nearest rows of one query (1, r), which needs more rows than were asked for."""
    while True:
        asked = _allowed(store, top_k, asked * GROWTH)
        hits = _nearest(store, space, query, asked, columns, filter)
        if not _unsettled(hits, query, top_k, asked, store.max_top_k):
            return hits.first(top_k)  # there may be very many


def _allowed(store: VectorStore, top_k: int, asked: int) -> int:
    return asked if store.max_top_k is None else max(top_k, min(asked, store.max_top_k))


def _nearest(
    store: VectorStore, space: Space, queries: Tensor, asked: int, columns: Sequence[str], filter: Condition | None
) -> Hits:
    rows = store.nearest(queries.numpy(), space.column, asked, [*columns, space.column], filter)
    query = torch.tensor(rows["query_index"].to_numpy(), dtype=torch.long)
    try:
        vectors = space.from_column(rows[space.column])
    except ValueError as error:
        raise damage(store.uri, error) from error
    return Hits(rows.select(columns), query, rounded(vectors.paired_cosines(queries[query])), vectors).by_rank()


def _unsettled(hits: Hits, queries: Tensor, top_k: int, asked: int, limit: int | None) -> list[int]:
    """Queries for which a row that the store left out may have as large a score as the last one that is wanted."""
    if limit is not None and asked >= limit:
        return []
    ends = torch.searchsorted(hits.query, torch.arange(len(queries)), right=True)
    starts = torch.cat([ends.new_zeros(1), ends])[:-1]
    cut = (ends - starts == asked).nonzero().flatten()  # the others have all rows that there are
    gap = hits.scores[starts[cut] + top_k - 1] - hits.scores[ends[cut] - 1]
    return cut[gap <= 2 * _error_of_half(queries[cut])].tolist()


def _error_of_half(queries: Tensor) -> Tensor:
    """The most by which cosines change, (Q,), where a store rounds queries (Q, r) to float16, as its vectors are."""
    return (normalize(queries.half().float(), dim=1) - normalize(queries, dim=1)).norm(dim=1) + _ROUNDING


def _joined(one: Hits, other: Hits) -> Hits:
    return Hits(
        pa.concat_tables([one.rows, other.rows]),
        torch.cat([one.query, other.query]),
        torch.cat([one.scores, other.scores]),
        StoredVectors(
            torch.cat([one.vectors.half, other.vectors.half]), torch.cat([one.vectors.lengths, other.vectors.lengths])
        ),
    )
