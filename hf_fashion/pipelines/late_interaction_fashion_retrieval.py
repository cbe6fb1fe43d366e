"""The step of the pipeline that scores a text by the best regions of each candidate too, `late_interaction`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from ..retrieval.results import RetrievalResults, padded


# Candidates by the embedding of the whole photo that are scored by their regions too, at least. With 100 of 500 tags
# are found as well as with all (benchmarks/region_search.py).
NUM_SCORED = 100
DECIMALS = 6  # of scores, as a gallery rounds them: equal products get equal scores


def interact(
    results: RetrievalResults, queries: Tensor, weight: float, gallery: Any, entities: Sequence[str]
) -> RetrievalResults:
    """Score candidates by `(1 - weight) * cosine(query, photo) + weight * max over entities of cosine(query, region)`
    and sort them by it; of equal ones, the one with the better photo comes first.

    Args:
        results ([`RetrievalResults`]): lists of candidates, with the cosines of their photos.
        queries (`torch.Tensor` of shape `(Q, d)`): embeddings of the queries, of length 1, on the CPU.
        weight (`float`): weight of the best region, 0 to 1.
        gallery ([`Gallery`]): the gallery with the vectors of the regions.
        entities (`Sequence[str]`): the spaces of the regions.
    """
    ids = [candidate_id for row in results.ids for candidate_id in row]
    if not ids:
        return results
    query_of = results.mask.nonzero()[:, 0]  # (M,), the query of each candidate
    best = queries.new_full((len(ids),), -1)
    for entity in entities:
        cosines = torch.einsum("md,md->m", queries[query_of], gallery.vectors(ids, entity))
        best = torch.maximum(best, cosines)
    scores = (1 - weight) * results.scores + weight * padded(best, results.mask, -1)
    return results.rescored(scores.round(decimals=DECIMALS))
