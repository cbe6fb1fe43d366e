"""Ceilings against a search over every order in which a model could rank the distinct inputs."""

from itertools import permutations
from math import prod

import pytest
import torch

from hf_fashion.metrics import (
    precision_ceiling,
    recall_at_k,
    recall_ceiling,
    relevant_recall_ceiling,
)
from hf_fashion.metrics.ceilings import match_worth


KS = (1, 2, 3, 5)


def hit_probability(order, label, labels, inputs, k):
    """Over random orders of equal inputs: probability that one of the k first items has the label."""
    left, miss = k, 1.0
    for group in order:
        members = [item for item, value in enumerate(inputs) if value == group]
        others = sum(labels[item] != label for item in members)
        places = min(left, len(members))
        miss *= prod((others - i) / (len(members) - i) for i in range(places))
        left -= places
    return 1 - miss


def best_by_search(query_labels, gallery_labels, query_inputs, gallery_inputs, k):
    orders = list(permutations(sorted(set(gallery_inputs))))
    total = 0.0
    for group in set(query_inputs):
        labels = [label for label, value in zip(query_labels, query_inputs, strict=True) if value == group]
        total += max(
            sum(hit_probability(order, label, gallery_labels, gallery_inputs, k) for label in labels)
            for order in orders
        )
    return total / len(query_labels)


@pytest.mark.parametrize("seed", range(8))
def test_pairs_equal_the_best_of_all_orders(seed):
    generator = torch.Generator().manual_seed(seed)
    labels = torch.arange(7)
    query_inputs, gallery_inputs = torch.randint(0, 4, (2, 7), generator=generator)
    metrics = recall_ceiling(labels, labels, KS, query_inputs, gallery_inputs)
    for k in KS:
        best = best_by_search(*(x.tolist() for x in (labels, labels, query_inputs, gallery_inputs)), k)
        assert metrics[f"recall_ceiling@{k}"] == pytest.approx(best)


@pytest.mark.parametrize("seed", range(8))
def test_several_matches_equal_the_best_of_all_orders(seed):
    generator = torch.Generator().manual_seed(seed)
    gallery_labels = torch.tensor([0, 0, 1, 1, 2, 3])
    query_labels = torch.randint(0, 5, (9,), generator=generator)
    query_inputs = torch.randint(0, 3, (9,), generator=generator)
    query_labels[0] = 0  # at least one query has two matches
    metrics = recall_ceiling(query_labels, gallery_labels, KS, query_inputs)
    matched = torch.isin(query_labels, gallery_labels)
    sides = (query_labels[matched], gallery_labels, query_inputs[matched], torch.arange(6))
    for k in KS:
        best = best_by_search(*(side.tolist() for side in sides), k)
        assert metrics[f"recall_ceiling@{k}"] == pytest.approx(best)


def test_with_equal_items_in_the_gallery_it_is_a_bound():
    sides = ([0, 0, 1], [0, 0, 1, 2], [0, 0, 1], [5, 6, 6, 6])
    metrics = recall_ceiling(*map(torch.tensor, sides[:2]), KS, *map(torch.tensor, sides[2:]))
    for k in KS:
        assert metrics[f"recall_ceiling@{k}"] >= best_by_search(*sides, k)


def test_a_title_shared_by_d_photos_caps_both_directions():
    titles, photos, rows = torch.tensor([0, 0, 0, 1]), torch.arange(4), torch.arange(4)
    for sides in ((titles, photos), (photos, titles)):
        metrics = recall_ceiling(rows, rows, (1, 2, 3), *sides)
        expected = [(3 * min(1, k / 3) + 1) / 4 for k in (1, 2, 3)]
        assert list(metrics.values()) == pytest.approx(expected)


def test_a_perfect_model_reaches_the_ceiling_and_no_more():
    """Equal embeddings for equal titles and for the photos of a title: recall is the ceiling."""
    titles, rows = torch.tensor([0, 0, 0, 1, 2, 2]), torch.arange(6)
    embeds = torch.eye(3)[titles]
    metrics = recall_at_k(embeds, embeds, rows, rows, (1, 2, 5))
    ceilings = recall_ceiling(rows, rows, (1, 2, 5), titles, titles)
    for k in (1, 2):
        assert metrics[f"recall@{k}"] == pytest.approx(ceilings[f"recall_ceiling@{k}"])
    assert ceilings["recall_ceiling@1"] == pytest.approx(3 / 6)


def test_without_equal_inputs_there_is_no_cap():
    labels = torch.tensor([0, 1, 1, 2])
    assert set(recall_ceiling(labels, labels).values()) == {1.0}
    assert set(recall_ceiling(labels.unique(), labels).values()) == {1.0}


def test_share_of_all_matches_is_capped_by_their_number():
    query_labels, gallery_labels = torch.tensor([0, 1, 9]), torch.tensor([0, 0, 0, 0, 1])
    recall = relevant_recall_ceiling(query_labels, gallery_labels, (1, 5))
    assert recall == pytest.approx({"relevant_recall_ceiling@1": (1 / 4 + 1) / 2, "relevant_recall_ceiling@5": 1})
    precision = precision_ceiling(query_labels, gallery_labels, (1, 5))
    assert precision == pytest.approx({"precision_ceiling@1": 1, "precision_ceiling@5": (4 / 5 + 1 / 5) / 2})


def test_bad_input_is_named():
    labels = torch.arange(3)
    with pytest.raises(ValueError, match="nothing to find"):
        recall_ceiling(labels, labels + 3)
    with pytest.raises(ValueError, match="`query_inputs` must have the shape"):
        recall_ceiling(labels, labels, query_inputs=labels[:2])
    with pytest.raises(ValueError, match="`ks`"):
        relevant_recall_ceiling(labels, labels, ks=(0,))


@pytest.mark.parametrize("seed", range(4))
def test_worth_is_the_mean_of_matched_equals_over_copies(seed):
    generator = torch.Generator().manual_seed(seed)
    query_labels, query_inputs = (
        torch.randint(3, 8, (9,), generator=generator),
        torch.randint(4, (9,), generator=generator),
    )
    gallery_labels, gallery_inputs = (
        torch.randint(3, 8, (7,), generator=generator),
        torch.randint(4, (7,), generator=generator),
    )
    worth = match_worth(slice(2, 6), query_inputs, gallery_inputs, query_labels, gallery_labels)
    assert worth.shape == (4, 7)
    for query in range(2, 6):
        equals = [other for other in range(9) if query_inputs[other] == query_inputs[query]]
        for item in range(7):
            copies = [other for other in range(7) if gallery_inputs[other] == gallery_inputs[item]]
            matched = sum(int(query_labels[q] == gallery_labels[c]) for q in equals for c in copies)
            assert worth[query - 2, item].item() == pytest.approx(matched / len(copies))
