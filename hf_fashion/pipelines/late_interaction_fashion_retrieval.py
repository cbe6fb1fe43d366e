"""The step of the pipeline that scores a text by the best regions of each candidate too, `late_interaction`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from ..retrieval.results import RetrievalResults, padded


# Candidates by the embedding of the whole photo that are scored by their regions too, however long the list, so that a
# longer list begins with the shorter one. With 100 of 500 tags are found as well as with all
# (benchmarks/region_search.py).
NUM_SCORED = 100
DECIMALS = 6  # of scores, as a gallery rounds them: equal products get equal scores


def interact(
    results: RetrievalResults, queries: Tensor, weight: float, gallery: Any, entities: Sequence[str]
) -> RetrievalResults:
    """Score the first candidates by `(1 - weight) * cosine(query, photo) + weight * max over entities of cosine(query,
    region)` and sort them by it; of equal ones, the one with the better photo comes first.

    Those behind the first `NUM_SCORED` keep their order. Their score is the photo's cosine, or that of the last one
    that was scored where it is lower.

    Args:
        results ([`RetrievalResults`]): lists of candidates, with the cosines of their photos.
        queries (`torch.Tensor` of shape `(Q, d)`): embeddings of the queries, of length 1, on the CPU.
        weight (`float`): weight of the best region, 0 to 1.
        gallery ([`Gallery`]): the gallery with the vectors of the regions.
        entities (`Sequence[str]`): the spaces of the regions.
    """
    first = results.first(NUM_SCORED)
    ids = [candidate_id for row in first.ids for candidate_id in row]
    if not ids:
        return results
    query_of = first.mask.nonzero()[:, 0]  # (M,), the query of each candidate
    # In float64, because the last bits of float32 depend on M, and equal products must get equal scores.
    best = torch.full((len(ids),), -1, dtype=torch.float64)
    for entity in entities:
        cosines = torch.einsum("md,md->m", queries.double()[query_of], gallery.vectors(ids, entity).double())
        best = torch.maximum(best, cosines)
    scores = ((1 - weight) * first.scores + weight * padded(best, first.mask, -1)).float()
    return results.rescored(_with_those_behind(scores.round(decimals=DECIMALS), results.scores))


def _with_those_behind(scores: Tensor, photo_scores: Tensor) -> Tensor:
    """Scores (Q, K) of whole lists, of which only the first n were scored again, (Q, n): those behind stay behind."""
    behind = photo_scores[:, scores.shape[1] :]
    return torch.cat([scores, behind.minimum(scores.amin(dim=1, keepdim=True))], dim=1)
