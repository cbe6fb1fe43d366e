"""The step of the pipeline that applies the score threshold."""

from __future__ import annotations

from ..retrieval.results import RetrievalResults


def apply_threshold(results: RetrievalResults, threshold: float | None) -> RetrievalResults:
    """Drop candidates whose score is below a threshold.

    Args:
        results ([`RetrievalResults`]): lists of candidates.
        threshold (`float`, *optional*): least score of a candidate. Default: none is dropped.
    """
    # In float64, so that a score that was printed keeps its own candidate.
    return results if threshold is None else results.keep(results.scores.double() >= threshold)
