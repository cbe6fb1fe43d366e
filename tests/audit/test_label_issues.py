"""Confident learning and neighbours against plain loops."""

import pytest
import torch

from hf_fashion.audit.label_issues import LabelIssue, find_label_issues, neighbour_probabilities


def naive_issues(probabilities, labels):
    found = []
    thresholds = {}
    for value in set(labels):
        own = [row[value] for row, label in zip(probabilities, labels, strict=True) if label == value]
        thresholds[value] = sum(own) / len(own)
    for place, (row, label) in enumerate(zip(probabilities, labels, strict=True)):
        best = max(thresholds, key=lambda value: row[value] - thresholds[value])
        if best != label and row[best] > row[label]:
            found.append((place, label, best, round(row[best] - row[label], 4)))
    return sorted(found, key=lambda issue: -issue[3])


@pytest.mark.parametrize("seed", range(4))
def test_issues_are_those_of_a_loop(seed):
    generator = torch.Generator().manual_seed(seed)
    probabilities = torch.rand(40, 5, generator=generator, dtype=torch.float64).softmax(dim=1)
    labels = torch.randint(0, 4, (40,), generator=generator)  # no item has the last label
    issues = find_label_issues(probabilities, labels)
    found = [(issue.place, issue.value, issue.seen, issue.strength) for issue in issues]
    assert found == naive_issues(probabilities.tolist(), labels.tolist()) != []


def test_a_label_that_a_model_never_prefers_is_not_doubted():
    """Each item of the label 1 looks more like 0, as all of them do: the threshold of 0 is what its own items have."""
    probabilities = torch.tensor([[0.9, 0.1]] * 5 + [[0.6, 0.4]] * 5 + [[0.92, 0.08]])
    labels = torch.tensor([0] * 5 + [1] * 6)
    assert find_label_issues(probabilities, labels) == [LabelIssue(10, 1, 0, 0.84)]


@pytest.mark.parametrize("k", [3, 50])
def test_neighbours_are_those_of_a_loop(k):
    generator = torch.Generator().manual_seed(0)
    embeds = torch.nn.functional.normalize(torch.randn(12, 4, generator=generator), dim=1)
    labels = torch.randint(0, 3, (12,), generator=generator)
    shares = neighbour_probabilities(embeds, labels, 3, k)
    for place in range(12):
        others = sorted((i for i in range(12) if i != place), key=lambda i: -float(embeds[i] @ embeds[place]))[:k]
        expected = [sum(int(labels[i]) == value for i in others) / len(others) for value in range(3)]
        assert shares[place].tolist() == pytest.approx(expected)
