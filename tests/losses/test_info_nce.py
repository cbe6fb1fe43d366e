"""InfoNCE against a loop over items that follows its definition."""

import math

import pytest
import torch

from hf_fashion.losses.info_nce import combiner_loss, info_nce
from tests.tiny_combiner import tiny_queries


def naive_info_nce(logits, positives, valid):
    items = [i for i in range(len(logits)) if valid[i]]
    total = 0.0
    for i in items:
        matches = [j for j in items if positives[i][j]]
        row = math.log(sum(math.exp(logits[i][j]) for j in items))
        column = math.log(sum(math.exp(logits[j][i]) for j in items))
        total -= sum(logits[i][j] - row for j in matches) / len(matches) / 2
        total -= sum(logits[j][i] - column for j in matches) / len(matches) / 2
    return total / len(items) if items else 0.0


@pytest.mark.parametrize("labels", [[0, 1, 2, 3], [0, 0, 1, 1], [0, 0, 0, 0], [0, -1, 0, 2], [-1, -1, -1, 1]])
def test_equals_the_definition(labels):
    logits = torch.randn(4, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(0)) * 3
    labels = torch.tensor(labels)
    positives, valid = labels[:, None] == labels[None], labels >= 0
    expected = naive_info_nce(logits.tolist(), positives.tolist(), valid.tolist())
    assert info_nce(logits, positives, valid).item() == pytest.approx(expected, rel=1e-5, abs=1e-7)


def test_default_is_clips_loss():
    logits = torch.randn(5, 5)
    target = torch.arange(5)
    clip = (
        torch.nn.functional.cross_entropy(logits, target) + torch.nn.functional.cross_entropy(logits.T, target)
    ) / 2
    torch.testing.assert_close(info_nce(logits), clip)


def test_leading_dimensions_are_independent():
    logits = torch.randn(3, 4, 4)
    torch.testing.assert_close(info_nce(logits), torch.stack([info_nce(part) for part in logits]))


def test_masked_items_get_no_gradient():
    logits = torch.randn(3, 3, requires_grad=True)
    info_nce(logits, valid=torch.tensor([True, False, True])).backward()
    assert logits.grad[1].abs().max() == 0 and logits.grad[:, 1].abs().max() == 0
    assert logits.grad[0, 0] != 0


def test_no_valid_item_gives_zero_and_finite_gradients():
    logits = torch.randn(2, 2, requires_grad=True)
    loss = info_nce(logits, valid=torch.zeros(2, dtype=torch.bool))
    loss.backward()
    assert loss == 0 and torch.isfinite(logits.grad).all()


def test_half_precision_is_summed_in_float32():
    assert info_nce(torch.full((4, 4), 100.0, dtype=torch.bfloat16)).dtype == torch.float32


def test_the_loss_of_a_combiner_equals_a_loop():
    queries, targets = (tiny_queries(4, seed=seed) for seed in (0, 1))
    queries, targets = queries["start_embeds"], targets["photo_embeds"]
    keys = torch.tensor([3, 5, 3, 7])  # the first and the third ask for the same products
    scores = [[5.0 * sum(float(q @ t) for q, t in zip(a, b, strict=True)) for b in targets] for a in queries]
    rows = torch.tensor(scores)
    total = 0.0
    for logits in (rows, rows.T):
        for row in range(4):
            right = [column for column in range(4) if keys[column] == keys[row]]
            total -= float(logits[row].log_softmax(0)[right].mean())
    torch.testing.assert_close(combiner_loss(queries, targets, keys, 5.0), torch.tensor(total / 8))


def test_right_queries_of_a_combiner_have_a_lower_loss_and_gradients():
    targets = tiny_queries(4)["photo_embeds"]
    queries = (targets / 3).requires_grad_()
    scale = torch.tensor(10.0, requires_grad=True)
    right = combiner_loss(queries, targets, torch.arange(4), scale)
    assert right < combiner_loss(-queries, targets, torch.arange(4), scale)
    right.backward()
    assert queries.grad.abs().sum() > 0 and scale.grad != 0


def test_one_query_of_a_combiner_has_nothing_to_be_told_from():
    queries = tiny_queries(1)
    assert combiner_loss(queries["start_embeds"], queries["photo_embeds"], torch.tensor([0]), 5.0) == 0
