"""The score threshold keeps candidates with at least this score, and lists close up."""

import torch

from hf_fashion.pipelines.threshold_fashion_retrieval import apply_threshold
from hf_fashion.retrieval.results import RetrievalResults


def results() -> RetrievalResults:
    scores = torch.tensor([[0.9, 0.7, 0.1], [0.3, 0.2, -torch.inf], [0.05, -torch.inf, -torch.inf]])
    return RetrievalResults([["a", "b", "c"], ["d", "e"], ["f"]], scores)


def test_candidates_below_the_threshold_are_dropped():
    kept = apply_threshold(results(), 0.2)
    assert kept.ids == (("a", "b"), ("d", "e"), ())
    assert apply_threshold(results(), 2).ids == ((), (), ())


def test_a_score_that_was_printed_keeps_its_own_candidate():
    for dicts in results().to_dicts():
        for candidate in dicts:
            assert candidate["id"] in sum(apply_threshold(results(), candidate["score"]).ids, ())
    above = results().scores[0, 1].item() + 1e-12
    assert apply_threshold(results(), above).ids[0] == ("a",)


def test_without_a_threshold_nothing_changes():
    found = results()
    assert apply_threshold(found, None) is found
    assert apply_threshold(found, -2).ids == found.ids
