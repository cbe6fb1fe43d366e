"""Search without an index: compare every query with every vector of a space, in memory."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc
import torch
from torch import Tensor

from .large_texts import with_large_texts
from .schema import ID
from .vector_column import StoredVectors


# The scores of this many queries are in memory at a time: (QUERIES_AT_ONCE, N) float32.
QUERIES_AT_ONCE = 256
# Equal vectors must get equal scores, but the last bits of a matrix product in float32 depend on the row's place and
# on the number of queries. So products whose scores are large enough, or nearly, are scored again in float64.
DECIMALS = 6
_MARGIN = 3e-6  # errors of two scores in float32, and what rounding may move them
_MANY = 8  # where more than one in that many is scored again, all are


class ExactSearch:
    """The products of a gallery, sorted by id, and their vectors in the spaces that were searched.

    Args:
        products (`pyarrow.Table`): N rows with a column `id`.
    """

    def __init__(self, products: pa.Table):
        self.products = with_large_texts(products).take(pc.sort_indices(products[ID])).combine_chunks()
        self._spaces: dict[str, StoredVectors] = {}

    def __contains__(self, space: str) -> bool:
        return space in self._spaces

    def hold(self, space: str, ids: pa.ChunkedArray, vectors: StoredVectors) -> None:
        """Add the vectors of a space.

        Args:
            space (`str`): its name.
            ids (`pyarrow.ChunkedArray`): ids of the N products, in any order.
            vectors (`StoredVectors`): their vectors, in the same order.

        Raises:
            LookupError: `ids` are not the ids of the products.
        """
        by_id = pc.sort_indices(ids)
        if not ids.take(by_id).cast(pa.large_string()).equals(self.products[ID]):
            raise LookupError(f"the vectors of space {space!r} are not those of the products")
        self._spaces[space] = vectors[torch.tensor(by_id.to_numpy(), dtype=torch.long)]

    def search(
        self, space: str, queries: Tensor, top_k: int, allowed_ids: pa.ChunkedArray | None
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Find the products with the largest cosines to each query; of equal ones, those whose ids come first.

        Args:
            space (`str`): a space whose vectors were added.
            queries (`torch.Tensor` of shape `(Q, r)`): float32.
            top_k (`int`): products for a query.
            allowed_ids (`pyarrow.ChunkedArray`, *optional*): ids of the products that may be found. Default: all.

        Returns:
            `tuple`: M = Q * K rows of `products`, int64 (M,), query by query, in no order within a query, with K the
            smaller of `top_k` and the number of allowed products; the query of each, int64 (M,); its score (M,).
        """
        vectors = self._spaces[space]
        rows = torch.arange(len(vectors))
        if allowed_ids is not None:
            allowed = pc.is_in(self.products[ID], value_set=allowed_ids.cast(pa.large_string()))
            rows = torch.tensor(allowed.to_numpy()).nonzero().flatten()
            vectors = vectors[rows]
        top_k = min(top_k, len(rows))
        parts = [_nearest(vectors, part, top_k) for part in queries.split(QUERIES_AT_ONCE)]
        places, scores = (torch.cat(part).flatten() for part in zip(*parts, strict=True))
        return rows[places], torch.arange(len(queries)).repeat_interleave(top_k), scores

    def vectors_of(self, space: str) -> StoredVectors:
        """Return the vectors of all `products`, in their order.

        Args:
            space (`str`): a space whose vectors were added.
        """
        return self._spaces[space]

    def directions_of(self, space: str, ids: Sequence[str]) -> Tensor:
        """Return the vectors of N ids: (N, r), of length 1, float32.

        Args:
            space (`str`): a space whose vectors were added.
            ids (`Sequence[str]`): ids; one may come several times.

        Raises:
            ValueError: there is no product with one of the ids.
        """
        rows = pc.index_in(pa.array(ids, pa.large_string()), value_set=self.products[ID])
        if rows.null_count:
            unknown = next(product_id for product_id, row in zip(ids, rows.to_pylist(), strict=True) if row is None)
            raise ValueError(
                f"`ids` must be in the gallery, {unknown!r} is not: if it was deleted since it was found, search "
                "again or leave it out"
            )
        return self._spaces[space][torch.tensor(rows.to_numpy(), dtype=torch.long)].directions()


def rounded(scores: Tensor) -> Tensor:
    """Round scores to `DECIMALS` decimals, as they are compared and returned."""
    return scores.round(decimals=DECIMALS)


def _nearest(vectors: StoredVectors, queries: Tensor, number: int) -> tuple[Tensor, Tensor]:
    """Return places and rounded scores, (Q, number), of the vectors nearest to each query, of equals the first."""
    if number == 0 or len(queries) == 0:
        return torch.empty(len(queries), number, dtype=torch.long), queries.new_empty(len(queries), number)
    about = vectors.cosines(queries)  # (Q, N)
    last = about.topk(number).values[:, -1:]
    query, places = (about >= last - _MARGIN).nonzero().unbind(dim=1)  # (M,), by query, then place
    if len(places) * _MANY > about.numel():
        scores = vectors.cosines(queries.double())[query, places]
    else:
        parts = zip(queries.double(), places.split(query.bincount().tolist()), strict=True)
        scores = torch.cat([vectors[part].cosines_with(one) for one, part in parts])
    scores = rounded(scores.float())
    order = scores.argsort(descending=True, stable=True)
    order = order[query[order].argsort(stable=True)]  # by query, then score, then place
    starts = torch.searchsorted(query, torch.arange(len(queries)))[:, None]
    best = order[starts + torch.arange(number)]  # (Q, number)
    return places[best], scores[best]
