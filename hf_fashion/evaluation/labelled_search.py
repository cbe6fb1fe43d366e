"""Searches with labels: rank a gallery for queries whose right candidates are known."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from ..metrics.attribute_map import check_search, relevance, stable_order
from ..metrics.ranking import score_chunks


@dataclass(frozen=True, eq=False)
class Rankings:
    """Rankings of a gallery for C queries, the best candidate first: whole ones, K = G, or their first K candidates.

    Args:
        queries (`slice`): the queries, of all queries of the search.
        places (`torch.Tensor` of shape `(C, K)`): int64, rows of the gallery by rank.
        hits (`torch.Tensor` of shape `(C, K)`): bool, whether they are right.
        valid (`torch.Tensor` of shape `(C, K)`): bool, False for the query itself, which comes last.
    """

    queries: slice
    places: Tensor
    hits: Tensor
    valid: Tensor

    def first(self, number: int) -> Rankings:
        """Return the first candidates of each ranking.

        Args:
            number (`int`): candidates of a query.
        """
        return Rankings(self.queries, self.places[:, :number], self.hits[:, :number], self.valid[:, :number])


@dataclass(frozen=True, eq=False)
class LabelledSearch:
    """Queries, the gallery that they search, and the labels of both.

    Args:
        query_embeds (`torch.Tensor` of shape `(Q, d)`): L2-normalised.
        gallery_embeds (`torch.Tensor` of shape `(G, d)`): L2-normalised; their order breaks ties.
        query_labels (`torch.Tensor` of shape `(Q,)`): int64, the value that each query searches for.
        gallery_labels (`torch.Tensor` of shape `(G,)` or `(G, V)`): int64, the value of each candidate; or bool, which
            of the V values it has.
        own_places (`torch.Tensor` of shape `(Q,)`, *optional*): int64, rows of the gallery that are the queries
            themselves, which no query finds. Default: no query is in the gallery.

    Raises:
        ValueError: shapes or types are not as above, or embeddings are not finite.
    """

    query_embeds: Tensor
    gallery_embeds: Tensor
    query_labels: Tensor
    gallery_labels: Tensor
    own_places: Tensor | None = None

    def __post_init__(self):
        check_search(self.query_embeds, self.gallery_embeds, self.query_labels, self.gallery_labels)
        own, rows = self.own_places, len(self.gallery_embeds)
        if own is not None and (own.shape != self.query_labels.shape or ((own < 0) | (own >= rows)).any()):
            raise ValueError(
                f"`own_places` must be of shape {tuple(self.query_labels.shape)}, for each query a row of the gallery "
                f"from 0 to {rows - 1}; got shape {tuple(own.shape)}"
            )

    def __len__(self) -> int:
        return len(self.query_labels)

    def of(self, queries: Sequence[int]) -> LabelledSearch:
        """Return the search of some of the queries.

        Args:
            queries (`Sequence[int]`): numbers of the queries, from 0.
        """
        rows = list(queries)
        own_places = None if self.own_places is None else self.own_places[rows]
        asked = {"query_embeds": self.query_embeds[rows], "query_labels": self.query_labels[rows]}
        return replace(self, **asked, own_places=own_places)

    def rankings(self, chunk_size: int | None = None) -> Iterator[Rankings]:
        """Rank the gallery for every query by cosine, a chunk of queries at a time; ties are in gallery order.

        Args:
            chunk_size (`int`, *optional*): queries at a time. Default: as many as keep a chunk's scores in bounds.
        """
        chunks = score_chunks(self.query_embeds, self.gallery_embeds, chunk_size, tie_units=0)
        for queries, scores, rounding in chunks:  # scores (C, G)
            valid = torch.ones_like(scores, dtype=torch.bool)
            if self.own_places is not None:
                valid.scatter_(1, self.own_places[queries, None], False)
            places = stable_order(scores.masked_fill_(~valid, -torch.inf), rounding)
            yield Rankings(queries, places, self.relevant(queries, places), valid.gather(1, places))

    def relevant(self, queries: slice | int, places: Tensor) -> Tensor:
        """Return whether candidates have the value that a query searches for; the query itself is never right.

        Args:
            queries (`slice` or `int`): C of the queries, or one.
            places (`torch.Tensor` of shape `(C, n)` or `(n,)`): int64, rows of the gallery.

        Returns:
            `torch.Tensor` of the shape of `places`: bool.
        """
        rows = torch.arange(len(self))[queries].view(-1, 1)
        right = relevance(self.query_labels[rows.flatten()], self.gallery_labels)  # (C, G)
        if self.own_places is not None:
            right.scatter_(1, self.own_places[rows], False)
        return right.gather(1, places.view(len(rows), -1)).view(places.shape)
