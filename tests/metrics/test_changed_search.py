"""Recall and shares of searches by a photo and a change, against loops."""

import pytest
import torch

from hf_fashion.metrics.changed_search import change_recall, first_share


def test_metrics_equal_a_loop():
    generator = torch.Generator().manual_seed(0)
    scores = torch.rand(9, 30, generator=generator)
    targets = torch.rand(9, 30, generator=generator) < 0.1
    targets[:, 3] = True
    scores[:, 7] = -torch.inf
    hits, shares = {3: [], 10: []}, []
    for row in range(9):
        order = scores[row].argsort(descending=True).tolist()
        for k, found in hits.items():
            found.append(any(targets[row, place] for place in order[:k]))
        shares.append(sum(bool(targets[row, place]) for place in order[:10]) / 10)
    expected = {f"recall@{k}": pytest.approx(sum(found) / 9) for k, found in hits.items()}
    assert change_recall(scores, targets, (3, 10)) == expected
    assert first_share(scores, targets) == pytest.approx(sum(shares) / 9)


def test_tied_targets_come_last_and_short_galleries_count_whole():
    targets = torch.tensor([[True, False, False, False]])
    assert change_recall(torch.zeros(1, 4), targets, (3, 4)) == {"recall@3": 0.0, "recall@4": 1.0}
    assert first_share(torch.tensor([[0.5, 0.1, -torch.inf, -0.2]]), targets) == pytest.approx(1 / 3)


def test_queries_without_a_target_are_refused():
    with pytest.raises(ValueError, match="`targets` must have a candidate that is searched in every row"):
        change_recall(torch.zeros(1, 2), torch.zeros(1, 2, dtype=torch.bool))
    with pytest.raises(ValueError, match="one shape"):
        change_recall(torch.zeros(1, 2), torch.zeros(1, 3, dtype=torch.bool))
    with pytest.raises(ValueError, match="one shape"):
        first_share(torch.zeros(0, 2), torch.zeros(0, 2, dtype=torch.bool))
