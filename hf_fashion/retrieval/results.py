"""Ranked lists of candidates, from the store to the last step of the pipeline."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import compress
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import pad


@dataclass(frozen=True, eq=False)
class RetrievalResults:
    """Ranked lists of Q queries, the best candidate first. Lists may differ in length; K is that of the longest.

    A candidate keeps its score, metadata and vector wherever a re-ranker moves it. It also keeps its initial rank, so
    scores always descend in the order of the initial ranks, and after a re-ranking not in the order of the lists.

    Results never change. [`~RetrievalResults.reordered`], [`~RetrievalResults.keep`] and [`~RetrievalResults.first`]
    return new ones.

    Args:
        ids (`Sequence[Sequence[str]]`): ids of the candidates, Q lists without a repeated id.
        scores (`torch.Tensor` of shape `(Q, K)`): cosines of the candidates with their query; -inf where a list has
            ended.
        metadata (`Sequence[Sequence[Mapping]]`, *optional*): metadata of each candidate, by column.
        initial_ranks (`torch.Tensor` of shape `(Q, K)`, *optional*): int64, ranks before any re-ranking, from 1; 0
            where a list has ended. Default: the order of the candidates.
        vectors (`torch.Tensor` of shape `(Q, K, d)`, *optional*): vectors of the candidates, for re-rankers; zeros
            where a list has ended.

    Raises:
        ValueError: shapes, scores, ids or ranks are not as above.
    """

    ids: Sequence[Sequence[str]]
    scores: Tensor
    metadata: Sequence[Sequence[Mapping[str, Any]]] | None = None
    initial_ranks: Tensor | None = None
    vectors: Tensor | None = None

    def __post_init__(self):
        object.__setattr__(self, "ids", tuple(map(tuple, self.ids)))
        if self.metadata is not None:
            object.__setattr__(self, "metadata", tuple(map(tuple, self.metadata)))
        self._check_lists()
        if self.initial_ranks is None:
            ranks = torch.arange(1, self.scores.shape[1] + 1).expand(self.scores.shape)
            object.__setattr__(self, "initial_ranks", ranks.masked_fill(~self.mask, 0))
        self._check_ranks()

    def __len__(self) -> int:
        return len(self.ids)

    def __getitem__(self, query: int) -> RetrievalResults:
        """Return the list of one query.

        Args:
            query (`int`): number of the query, from 0.
        """
        length = len(self.ids[query])
        return RetrievalResults(
            ids=[self.ids[query]],
            scores=self.scores[query, None, :length],
            metadata=None if self.metadata is None else [self.metadata[query]],
            initial_ranks=self.initial_ranks[query, None, :length],
            vectors=None if self.vectors is None else self.vectors[query, None, :length],
        )

    @cached_property
    def mask(self) -> Tensor:
        """Bool (Q, K), False where a list has ended."""
        lengths = torch.tensor([len(row) for row in self.ids], dtype=torch.long)
        return torch.arange(max(map(len, self.ids), default=0)) < lengths[:, None]

    def reordered(self, order: Tensor) -> RetrievalResults:
        """Return the lists with their first n candidates in another order; those behind keep their places.

        Args:
            order (`torch.Tensor` of shape `(Q, n)`): int64; for each new place the present place, from 0, of the
                candidate that moves there. `scores.argsort(descending=True, stable=True)` of a re-ranker's scores,
                -inf where a list has ended, is such an order.

        Raises:
            ValueError: a row of `order` is not a permutation of 0 .. n - 1, or moves the end of a short list.
        """
        self._check_order(order)
        return replace(
            self,
            ids=_reordered_lists(self.ids, order),
            scores=reorder_first(self.scores, order),
            metadata=None if self.metadata is None else _reordered_lists(self.metadata, order),
            initial_ranks=reorder_first(self.initial_ranks, order),
            vectors=None if self.vectors is None else reorder_first(self.vectors, order),
        )

    def rescored(self, scores: Tensor) -> RetrievalResults:
        """Return the lists with other scores, sorted by these; of equal ones, those that were first stay first.
        Initial ranks count from 1 again.

        Args:
            scores (`torch.Tensor` of shape `(Q, K)`): floating point. Places where a list has ended may have any
                value.

        Raises:
            ValueError: `scores` has another shape or type, or a candidate's is not finite.
        """
        if scores.shape != self.mask.shape:
            raise ValueError(f"`scores` must have shape {tuple(self.mask.shape)}, got {tuple(scores.shape)}")
        order = scores.masked_fill(~self.mask, -math.inf).argsort(dim=1, descending=True, stable=True)
        return RetrievalResults(
            ids=_reordered_lists(self.ids, order),
            scores=scores.gather(1, order).masked_fill(~self.mask, -math.inf),
            metadata=None if self.metadata is None else _reordered_lists(self.metadata, order),
            vectors=None if self.vectors is None else reorder_first(self.vectors, order),
        )

    def keep(self, mask: Tensor) -> RetrievalResults:
        """Return the lists without some of their candidates. Those that are left move up, and their initial ranks
        count from 1 again: a dropped candidate leaves no gap.

        Args:
            mask (`torch.Tensor` of shape `(Q, K)`): bool, False for candidates to drop. Places where a list has ended
                may have either value.

        Raises:
            ValueError: `mask` has another shape or type.
        """
        if mask.shape != self.mask.shape or mask.dtype != torch.bool:
            raise ValueError(
                f"`mask` must be bool with shape {tuple(self.mask.shape)}, got {mask.dtype} {tuple(mask.shape)}"
            )
        kept = mask & self.mask
        longest = max(kept.sum(dim=1).tolist(), default=0)
        places = kept.int().argsort(dim=1, descending=True, stable=True)[:, :longest]  # those that are kept, in order
        ended = ~kept.gather(1, places)  # (Q, longest)
        past_the_end = self.mask.shape[1] + 1
        initial = self.initial_ranks.gather(1, places).masked_fill(ended, past_the_end)
        return RetrievalResults(
            ids=_kept_lists(self.ids, kept),
            scores=self.scores.gather(1, places).masked_fill(ended, -math.inf),
            metadata=None if self.metadata is None else _kept_lists(self.metadata, kept),
            initial_ranks=(initial.argsort(dim=1).argsort(dim=1) + 1).masked_fill(ended, 0),
            vectors=None if self.vectors is None else _at(self.vectors, places).masked_fill(ended[..., None], 0),
        )

    def first(self, number: int) -> RetrievalResults:
        """Return the first candidates of each list, with the initial ranks that they have now.

        Args:
            number (`int`): the most candidates of a list.
        """
        if number >= self.scores.shape[1]:
            return self
        return replace(
            self,
            ids=[row[:number] for row in self.ids],
            scores=self.scores[:, :number],
            metadata=None if self.metadata is None else [row[:number] for row in self.metadata],
            initial_ranks=self.initial_ranks[:, :number],
            vectors=None if self.vectors is None else self.vectors[:, :number],
        )

    def to_dicts(self) -> list[list[dict[str, Any]]]:
        """Return each query's candidates as `{"id", "score", "rank", "initial_rank", "metadata"}`; ranks count from
        1, and a NaN in the metadata is `None`, so that the dicts can be written as JSON."""
        return [self.dicts_of(query) for query in range(len(self))]

    def dicts_of(self, query: int) -> list[dict[str, Any]]:
        """Return the candidates of one query as [`~RetrievalResults.to_dicts`] does.

        Args:
            query (`int`): number of the query, from 0.
        """
        scores, ranks = self.scores[query].tolist(), self.initial_ranks[query].tolist()
        return [
            {
                "id": candidate_id,
                "score": scores[place],
                "rank": place + 1,
                "initial_rank": ranks[place],
                "metadata": self._metadata_of(query, place),
            }
            for place, candidate_id in enumerate(self.ids[query])
        ]

    def _metadata_of(self, query: int, place: int) -> dict[str, Any]:
        if self.metadata is None:
            return {}
        return {column: _without_nan(value) for column, value in self.metadata[query][place].items()}

    def _check_lists(self) -> None:
        lengths = [len(row) for row in self.ids]
        shape = (len(lengths), max(lengths, default=0))
        if tuple(self.scores.shape) != shape or not self.scores.is_floating_point():
            raise ValueError(
                f"`scores` must be floating point with shape {shape}, a score for each id of the longest list, got "
                f"{self.scores.dtype} {tuple(self.scores.shape)}"
            )
        if not torch.equal(self.scores.isfinite(), self.mask) or (self.scores[~self.mask] != -math.inf).any():
            raise ValueError("`scores` must be finite where a list has a candidate and -inf where it has ended")
        if self.metadata is not None and [len(row) for row in self.metadata] != lengths:
            raise ValueError(
                f"`metadata` must have lists as long as those of `ids`, {lengths}, got {list(map(len, self.metadata))}"
            )
        if self.vectors is not None and (self.vectors.ndim != 3 or tuple(self.vectors.shape[:2]) != shape):
            raise ValueError(
                f"`vectors` must have shape {shape} + (d,), a vector for each id of the longest list, got "
                f"{tuple(self.vectors.shape)}"
            )
        for query, row in enumerate(self.ids):
            if len(set(row)) < len(row):
                twice = next(candidate_id for candidate_id in row if row.count(candidate_id) > 1)
                raise ValueError(f"`ids[{query}]` has {twice!r} twice: each candidate may be in a list once")

    def _check_ranks(self) -> None:
        ranks, mask = self.initial_ranks, self.mask
        if ranks.shape != mask.shape or ranks.dtype != torch.int64 or (ranks[~mask] != 0).any():
            raise ValueError(
                f"`initial_ranks` must be int64 with shape {tuple(mask.shape)} and be 0 where a list has ended"
            )
        if (ranks[mask] < 1).any():
            raise ValueError("`initial_ranks` must count from 1 where a list has a candidate")
        sorted_ranks, order = ranks.masked_fill(~mask, torch.iinfo(ranks.dtype).max).sort(dim=1)
        both = mask[:, 1:]  # in sorted order too the candidates come first
        if (both & (sorted_ranks[:, 1:] == sorted_ranks[:, :-1])).any():
            raise ValueError("`initial_ranks` must have every number once in a list")
        in_order = self.scores.gather(1, order)
        rising = (in_order[:, 1:] > in_order[:, :-1]).any(dim=1).nonzero().flatten().tolist()
        if rising:
            raise ValueError(f"`scores` must descend in the order of initial ranks; those of list {rising[0]} rise")

    def _check_order(self, order: Tensor) -> None:
        queries, longest = self.scores.shape
        if order.ndim != 2 or len(order) != queries or order.shape[1] > longest or order.dtype != torch.int64:
            raise ValueError(
                f"`order` must be int64 with shape ({queries}, n) and n at most {longest}, got {order.dtype} "
                f"{tuple(order.shape)}"
            )
        number = order.shape[1]
        if not torch.equal(order.sort(dim=1).values, torch.arange(number).expand(queries, -1)):
            raise ValueError(f"each row of `order` must be a permutation of 0 .. {number - 1}")
        if not torch.equal(self.mask.gather(1, order), self.mask[:, :number]):
            raise ValueError("`order` must leave places where a list has ended behind its candidates")


def joined(parts: Sequence[RetrievalResults]) -> RetrievalResults:
    """Join the results of several searches, query after query.

    Args:
        parts (`Sequence[RetrievalResults]`): at least one; all with metadata or none, all with vectors or none.
    """
    ends = [max(part.scores.shape[1] for part in parts) - part.scores.shape[1] for part in parts]
    padded = list(zip(parts, ends, strict=True))
    first = parts[0]
    return RetrievalResults(
        ids=[row for part in parts for row in part.ids],
        scores=torch.cat([pad(part.scores, (0, end), value=-math.inf) for part, end in padded]),
        metadata=None if first.metadata is None else [row for part in parts for row in part.metadata],
        initial_ranks=torch.cat([pad(part.initial_ranks, (0, end)) for part, end in padded]),
        vectors=None
        if first.vectors is None
        else torch.cat([pad(part.vectors, (0, 0, 0, end)) for part, end in padded]),
    )


def padded(values: Tensor, mask: Tensor, padding: float) -> Tensor:
    """Pad values of candidates, list after list, to lists of the same length.

    Args:
        values (`torch.Tensor` of shape `(M, ...)`): a value for each candidate.
        mask (`torch.Tensor` of shape `(Q, K)`): bool, True at the M places of candidates.
        padding (`float`): value of the other places.

    Returns:
        `torch.Tensor` of shape `(Q, K, ...)`: the values in their places.
    """
    if mask.all():
        return values.view(*mask.shape, *values.shape[1:])
    filled = values.new_full((*mask.shape, *values.shape[1:]), padding)
    filled[mask] = values
    return filled


def reorder_first(values: Tensor, order: Tensor) -> Tensor:
    """Reorder the first n values of each row; those behind keep their places.

    Args:
        values (`torch.Tensor` of shape `(Q, K, ...)`): what is reordered.
        order (`torch.Tensor` of shape `(Q, n)`): int64; for each new place the present place of its value.

    Returns:
        `torch.Tensor` of shape `(Q, K, ...)`: on the device of `values`, as `order` must be.
    """
    moved, behind = _at(values, order), values[:, order.shape[1] :]
    return torch.cat([moved, behind], dim=1) if behind.shape[1] else moved  # vectors are large: no copy for nothing


def _at(values: Tensor, places: Tensor) -> Tensor:
    """(Q, K, ...) -> (Q, n, ...) by places (Q, n)."""
    rows = torch.arange(len(places), device=places.device)[:, None]
    return values[rows, places]


def _without_nan(value: Any) -> Any:
    if isinstance(value, list):
        return [_without_nan(one) for one in value]
    return None if isinstance(value, float) and math.isnan(value) else value


def _reordered_lists(lists: Sequence[Sequence[Any]], order: Tensor) -> list[list[Any]]:
    number = order.shape[1]
    rows = zip(lists, order.tolist(), strict=True)
    return [[*(row[place] for place in places[: len(row)]), *row[number:]] for row, places in rows]


def _kept_lists(lists: Sequence[Sequence[Any]], kept: Tensor) -> list[list[Any]]:
    return [list(compress(row, flags)) for row, flags in zip(lists, kept.tolist(), strict=True)]
