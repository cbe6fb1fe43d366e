"""Results of many queries, one list of dicts each: re-ranked together, and numbered."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from .rerankers_fashion_retrieval import Reranker


def rerank_lists(
    reranker: Reranker,
    query_embeds: Tensor,
    lists: Sequence[list[dict[str, Any]]],
    gallery: Any,
    space: str,
    num_rerank: int,
) -> list[list[dict[str, Any]]]:
    """The lists of Q queries, the first of each in the order of a re-ranker, which gets them all at once.

    Args:
        reranker (`Callable`): as in [`Reranker`]. Short lists are filled up with zeros, empty ones left out.
        query_embeds (`torch.Tensor` of shape `(Q, d)`): the queries, on the CPU.
        lists (`Sequence[list[dict]]`): their candidates, dicts with an `id`, the best first.
        gallery ([`Gallery`]): where the candidates' vectors are.
        space (`str`): the space of the queries.
        num_rerank (`int`): how many of a list are re-ranked; those behind stay where they are.

    Raises:
        ValueError: the re-ranker does not give each candidate a score, or the gallery lacks the space or a candidate.
    """
    firsts = {row: found[:num_rerank] for row, found in enumerate(lists) if found}
    if not firsts:
        return list(lists)
    lengths = [len(first) for first in firsts.values()]
    embeds = gallery.vectors([candidate["id"] for first in firsts.values() for candidate in first], space)
    embeds = pad_sequence(embeds.split(lengths), batch_first=True)  # (Q, k, d)
    mask = torch.arange(embeds.shape[1]) < torch.tensor(lengths)[:, None]
    scores = reranker(query_embeds[list(firsts)], embeds, mask)
    if scores.shape != mask.shape:
        raise ValueError(
            f"`reranker` must return scores of shape (Q, k) = {tuple(mask.shape)}, got {tuple(scores.shape)}"
        )
    orders = dict(zip(firsts, scores.argsort(dim=1, descending=True, stable=True).tolist(), strict=True))
    return [
        [found[place] for place in orders.get(row, []) if place < len(found)] + found[num_rerank:]
        for row, found in enumerate(lists)
    ]


def numbered(results: Sequence[dict[str, Any]], key: str) -> list[dict[str, Any]]:
    """Results with their places under a key, from 1.

    Args:
        results (`Sequence[dict]`): of one query.
        key (`str`): such as `rank`.
    """
    return [{**result, key: place} for place, result in enumerate(results, 1)]
