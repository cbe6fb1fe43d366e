"""Triplets of a batch: all of them, or a fair draw, and those that extra views add."""

import pytest
import torch

from hf_fashion.losses.triplet_indices import batch_triplets, view_triplets


def naive_triplets(attributes, values):
    items = range(len(attributes))
    return {
        (a, p, n)
        for a in items
        for p in items
        for n in items
        if attributes[a] == attributes[p] == attributes[n] and a != p and values[a] == values[p] != values[n]
        if min(values[a], values[n]) >= 0
    }


def random_batch(seed: int, size: int = 16) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(3, (size,), generator=generator), torch.randint(-1, 3, (size,), generator=generator)


def as_set(triplets):
    rows = [tuple(row) for row in triplets.tolist()]
    assert len(set(rows)) == len(rows)
    return set(rows)


@pytest.mark.parametrize("seed", range(8))
def test_all_triplets_of_a_batch(seed):
    attributes, values = random_batch(seed)
    expected = naive_triplets(attributes.tolist(), values.tolist())
    triplets = batch_triplets(attributes, values)
    assert as_set(triplets) == expected
    assert triplets.tolist() == sorted(triplets.tolist())


@pytest.mark.parametrize(
    ("attributes", "values"),
    [([], []), ([0], [0]), ([0, 0, 0], [1, 1, 1]), ([0, 1, 0], [0, 0, 1]), ([0, 0, 0], [-1, -1, 2])],
    ids=["no item", "one item", "one value", "no pair", "unlabelled"],
)
def test_no_triplet(attributes, values):
    ids = (torch.tensor(attributes, dtype=torch.long), torch.tensor(values, dtype=torch.long))
    assert batch_triplets(*ids).shape == (0, 3)
    assert batch_triplets(*ids, limit=5).shape == (0, 3)


def test_a_limit_draws_without_repeating():
    attributes, values = random_batch(0, size=40)
    everything = as_set(batch_triplets(attributes, values))
    drawn = batch_triplets(attributes, values, 50, torch.Generator().manual_seed(0))
    assert len(drawn) == 50 < len(everything)
    assert as_set(drawn) <= everything


def test_a_limit_above_the_number_changes_nothing():
    batch = random_batch(1)
    everything = batch_triplets(*batch)
    assert batch_triplets(*batch, limit=len(everything)).tolist() == everything.tolist()


def test_every_triplet_is_drawn_about_as_often():
    attributes, values = torch.zeros(7, dtype=torch.long), torch.tensor([0, 0, 0, 1, 1, 1, 2])
    everything = [tuple(row) for row in batch_triplets(attributes, values).tolist()]
    counts = dict.fromkeys(everything, 0)
    generator = torch.Generator().manual_seed(0)
    for _ in range(1000):
        for row in batch_triplets(attributes, values, 12, generator).tolist():
            counts[tuple(row)] += 1
    expected = 1000 * 12 / len(everything)
    assert all(0.8 * expected < count < 1.2 * expected for count in counts.values())


def test_one_seed_gives_one_draw():
    batch = random_batch(2, size=40)
    draws = [batch_triplets(*batch, 20, torch.Generator().manual_seed(seed)).tolist() for seed in (3, 3, 4)]
    assert draws[0] == draws[1] != draws[2]


def test_a_limit_below_one_is_refused():
    with pytest.raises(ValueError, match=r"`limit` must be at least 1.*got 0"):
        batch_triplets(*random_batch(0), limit=0)


def test_views_of_the_anchor_give_the_five_of_rpf():
    triplets = torch.tensor([[0, 1, 2], [3, 4, 5]])
    views = torch.tensor([0, 3, 0, 3])  # rows 6 to 9: first views of both anchors, then second ones
    expected = {(0, 1, 2), (6, 1, 2), (8, 1, 2), (0, 6, 2), (0, 8, 2)}
    expected |= {(3, 4, 5), (7, 4, 5), (9, 4, 5), (3, 7, 5), (3, 9, 5)}
    found = view_triplets(triplets, views, num_items=6)
    assert as_set(found) == expected
    assert found[:2].tolist() == triplets.tolist()


def test_views_of_other_items_add_nothing():
    triplets = torch.tensor([[0, 1, 2]])
    assert view_triplets(triplets, torch.tensor([1, 2]), num_items=3).tolist() == triplets.tolist()
    assert view_triplets(triplets, torch.tensor([], dtype=torch.long), num_items=3).tolist() == triplets.tolist()
