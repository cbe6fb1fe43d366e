"""Chance levels against the mean over every order of a small gallery."""

from itertools import permutations

import pytest
import torch

from hf_fashion.metrics import precision_at_k, recall_at_k
from hf_fashion.metrics.chance import largest_standard_error, precision_chance, recall_chance


QUERIES, GALLERY = torch.tensor([0, 1, 1, 7]), torch.tensor([1, 0, 1, 2, 3])
KS = (1, 2, 5, 8)
MEASURES = [(recall_at_k, recall_chance, "recall"), (precision_at_k, precision_chance, "precision")]


@pytest.mark.parametrize(("measure", "chance", "name"), MEASURES)
def test_chance_is_the_mean_over_all_orders(measure, chance, name):
    # One-hot galleries, so that a query's scores are any order that is asked for.
    orders = torch.tensor(list(permutations(range(5))), dtype=torch.float32)
    found = chance(QUERIES, GALLERY, KS)
    for k in KS:
        means = []
        for label in QUERIES[:3]:
            metrics = measure(orders, torch.eye(5), label.expand(len(orders)), GALLERY, ks=(k,))
            means.append(metrics[f"{name}@{k}"])
        assert found[f"{name}_chance@{k}"] == pytest.approx(sum(means) / 3, abs=1e-9)


@pytest.mark.parametrize("chance", [recall_chance, precision_chance])
def test_nothing_to_find_is_an_error(chance):
    with pytest.raises(ValueError, match="nothing to find"):
        chance(torch.tensor([9]), GALLERY)
    with pytest.raises(ValueError, match="`ks`"):
        chance(QUERIES, GALLERY, ks=(0,))


def test_the_standard_error_is_that_of_halves():
    values = torch.tensor([0.0, 1.0]).repeat(50)
    assert largest_standard_error(100) == pytest.approx(values.std(correction=0).item() / 10)
