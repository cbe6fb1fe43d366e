"""What a search gives: ranked lists that pass from gallery to re-ranker to evaluation."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor


@dataclass(frozen=True, eq=False)
class RetrievalResults:
    """Ranked lists of Q queries, the best candidate first. Lists may differ in length; K is that of the longest.

    A candidate keeps its score and its initial rank wherever a re-ranker moves it, so scores descend in the order of
    the initial ranks and not, after a re-ranking, in the order of the lists.

    Args:
        ids (`Sequence[Sequence[str]]`): ids of the candidates, Q lists without a repeated id.
        scores (`torch.Tensor` of shape `(Q, K)`): cosines of the candidates with their query; -inf where a list has
            ended.
        metadata (`Sequence[Sequence[Mapping]]`, *optional*): what the gallery knows of each candidate, by column.
        initial_ranks (`torch.Tensor` of shape `(Q, K)`, *optional*): int64, ranks before any re-ranking, from 1; 0
            where a list has ended. Default: the order in which the candidates come.

    Raises:
        ValueError: shapes, scores, ids or ranks are not as above.
    """

    ids: Sequence[Sequence[str]]
    scores: Tensor
    metadata: Sequence[Sequence[Mapping[str, Any]]] | None = None
    initial_ranks: Tensor | None = None

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

    @property
    def mask(self) -> Tensor:
        """Bool (Q, K), False where a list has ended."""
        lengths = torch.tensor([len(row) for row in self.ids], dtype=torch.long)
        return torch.arange(max(map(len, self.ids), default=0)) < lengths[:, None]

    def reordered(self, order: Tensor) -> RetrievalResults:
        """The same lists with their first n places in another order; what lies behind them stays where it is.

        Args:
            order (`torch.Tensor` of shape `(Q, n)`): int64; at each place the present place, from 0, of the candidate
                that shall stand there. `scores.argsort(descending=True, stable=True)` of a re-ranker's scores, -inf
                where a list has ended, is such an order.

        Raises:
            ValueError: a row of `order` is no permutation of 0 .. n - 1, or moves the end of a short list.
        """
        self._check_order(order)
        behind = torch.arange(order.shape[1], self.scores.shape[1]).expand(len(self), -1)
        places = torch.cat([order, behind], dim=1)  # (Q, K)
        return RetrievalResults(
            ids=_rearranged(self.ids, places),
            scores=self.scores.gather(1, places),
            metadata=None if self.metadata is None else _rearranged(self.metadata, places),
            initial_ranks=self.initial_ranks.gather(1, places),
        )

    def to_dicts(self) -> list[list[dict[str, Any]]]:
        """Each query's candidates as `{"id", "score", "rank", "initial_rank", "metadata"}`; ranks count from 1."""
        scores, ranks = self.scores.tolist(), self.initial_ranks.tolist()
        return [
            [
                {
                    "id": name,
                    "score": scores[query][place],
                    "rank": place + 1,
                    "initial_rank": ranks[query][place],
                    "metadata": dict(self.metadata[query][place]) if self.metadata is not None else {},
                }
                for place, name in enumerate(names)
            ]
            for query, names in enumerate(self.ids)
        ]

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
        for query, row in enumerate(self.ids):
            if len(set(row)) < len(row):
                twice = next(name for name in row if row.count(name) > 1)
                raise ValueError(f"`ids[{query}]` names {twice!r} twice; a candidate may stand in a list once")

    def _check_ranks(self) -> None:
        ranks, mask = self.initial_ranks, self.mask
        behind = mask.shape[1] + 1
        counted = torch.arange(1, behind).expand(mask.shape).masked_fill(~mask, behind)
        if ranks.shape != mask.shape or (ranks[~mask] != 0).any():
            raise ValueError(f"`initial_ranks` must have shape {tuple(mask.shape)} and be 0 where a list has ended")
        sorted_ranks, order = ranks.masked_fill(~mask, behind).sort(dim=1)
        if not torch.equal(sorted_ranks, counted):
            raise ValueError("`initial_ranks` must number each list's candidates from 1, every number once")
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


def _rearranged(lists: Sequence[Sequence[Any]], places: Tensor) -> list[list[Any]]:
    rows = zip(lists, places.tolist(), strict=True)
    return [[row[place] for place in where[: len(row)]] for row, where in rows]
