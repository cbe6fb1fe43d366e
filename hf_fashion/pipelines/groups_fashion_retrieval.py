"""The step of the pipeline that keeps the best candidate of each group, such as one photo of each product."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Tensor

from ..retrieval.results import RetrievalResults, joined


logger = logging.getLogger(__name__)


def search_groups(
    search: Callable[[Tensor, int], RetrievalResults],
    queries: Tensor,
    number: int,
    column: str,
    max_top_k: int | None,
) -> RetrievalResults:
    """Search for the best groups of each query, each with its best candidate only.

    All queries are searched together. Those that find too few groups are searched again one by one, for longer and
    longer lists.

    Args:
        search (`Callable`): searches a gallery: `(queries (Q, d), top_k) -> RetrievalResults`.
        queries (`torch.Tensor` of shape `(Q, d)`): embeddings of the queries.
        number (`int`): groups of a query; there are fewer where the gallery has fewer.
        column (`str`): metadata column with equal values within a group. Candidates without a value are all kept.
        max_top_k (`int`, *optional*): the longest list that the gallery gives. Default: there is no limit.
    """
    found = search(queries, number)
    best = best_of_groups(found, column)
    short = [row for row, ids in enumerate(best.ids) if len(ids) < number == len(found.ids[row])]
    if not short:
        return best
    longer = {
        row: _search_longer_lists(partial(search, queries[row, None]), best[row], number, column, max_top_k)
        for row in short
    }
    return joined([longer[row] if row in longer else best[row] for row in range(len(best))])


def best_of_groups(results: RetrievalResults, column: str) -> RetrievalResults:
    """Keep the first candidate of each value of a column, and all without a value.

    Args:
        results ([`RetrievalResults`]): lists of candidates, with metadata.
        column (`str`): metadata column.
    """
    mask = torch.zeros_like(results.mask)
    for row, candidates in enumerate(results.metadata):
        places = _first_places([candidate[column] for candidate in candidates])
        mask[row, places] = True
    return results.keep(mask)


def _search_longer_lists(
    search: Callable[[int], RetrievalResults],
    best: RetrievalResults,
    number: int,
    column: str,
    max_top_k: int | None,
) -> RetrievalResults:
    """The best groups of one query, whose list of `number` candidates had too few."""
    top_k, ended = number, False
    while len(best.ids[0]) < number and not ended and top_k != max_top_k:
        top_k = 4 * top_k if max_top_k is None else min(4 * top_k, max_top_k)
        found = search(top_k)
        best, ended = best_of_groups(found, column), len(found.ids[0]) < top_k
    if len(best.ids[0]) < number and not ended:
        message = "`group_by` %r finds %d groups among the %d products of the longest list that the gallery gives"
        logger.warning(message, column, len(best.ids[0]), top_k)
    return best.first(number)


def _first_places(values: list[Any]) -> list[int]:
    """Where each value comes first, and all places without a value."""
    first: dict[Any, int] = {}
    return [place for place, value in enumerate(values) if value is None or first.setdefault(value, place) == place]
