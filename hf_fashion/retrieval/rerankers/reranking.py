"""Re-ranking: a re-ranker's scores put the first candidates of each list in another order."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

from ..results import RetrievalResults


# (query_embeds (Q, d), candidate_embeds (Q, k, d), candidate_mask (Q, k)) -> scores (Q, k), higher is better
Reranker = Callable[[Tensor, Tensor, Tensor], Tensor]


def rerank(
    results: RetrievalResults, query_embeds: Tensor, reranker: Reranker, num_candidates: int
) -> RetrievalResults:
    """Re-rank the first candidates of each list; those behind keep their places.

    Args:
        results ([`RetrievalResults`]): lists of Q queries, with vectors.
        query_embeds (`torch.Tensor` of shape `(Q, d)`): embeddings of the queries, on the CPU.
        reranker (`Callable`): gives candidates new scores, as [`Reranker`]. It gets all lists at once, short ones
            padded with zeros, but no empty list.
        num_candidates (`int`): candidates of a list that the re-ranker gets.

    Raises:
        ValueError: `results` have no vectors, or the re-ranker does not give each candidate a score, or gives NaN.
    """
    mask = results.mask[:, :num_candidates]
    filled = mask.any(dim=1)
    if not filled.any():
        return results
    if results.vectors is None:
        raise ValueError("`results` must have vectors to be re-ranked: search with `with_vectors=True`")
    order = torch.arange(mask.shape[1]).repeat(len(mask), 1)
    vectors = results.vectors[:, :num_candidates]
    order[filled] = reranked_order(reranker, query_embeds[filled], vectors[filled], mask[filled])
    return results.reordered(order)


def reranked_order(
    reranker: Reranker, query_embeds: Tensor, candidate_embeds: Tensor, candidate_mask: Tensor
) -> Tensor:
    """Return the order of candidates by a re-ranker's scores; equal ones keep their order, masked ones come last.

    Args:
        reranker (`Callable`): as [`Reranker`].
        query_embeds (`torch.Tensor` of shape `(Q, d)`): embeddings of the queries.
        candidate_embeds (`torch.Tensor` of shape `(Q, k, d)`): each query's candidates, the best first.
        candidate_mask (`torch.Tensor` of shape `(Q, k)`): bool, False where a list has ended.

    Returns:
        `torch.Tensor` of shape `(Q, k)`: int64; for each new place the present place of its candidate.

    Raises:
        ValueError: the scores do not have shape (Q, k), or one of a candidate is NaN.
    """
    scores = reranker(query_embeds, candidate_embeds, candidate_mask)
    if scores.shape != candidate_mask.shape:
        raise ValueError(
            f"`reranker` must return scores of shape (Q, k) = {tuple(candidate_mask.shape)}, got {tuple(scores.shape)}"
        )
    # In float64, since a function may return integers, which cannot represent -inf.
    scores = scores.to(candidate_mask.device, torch.float64).masked_fill(~candidate_mask, -math.inf)
    _require_numbers(scores)
    return scores.argsort(dim=1, descending=True, stable=True)


def _require_numbers(scores: Tensor) -> None:
    """Raises where a candidate's score is NaN, which would be sorted before the best."""
    wrong = scores.isnan().nonzero().tolist()
    if wrong:
        query, place = wrong[0]
        raise ValueError(
            f"`reranker` must return numbers, got NaN for {len(wrong):,} candidates, first for that at place {place} "
            f"of list {query}, both counted from 0, of the lists that it was given. Look for damaged weights, or a "
            "division by zero"
        )
