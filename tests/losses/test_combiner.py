"""Loss of the combiner, against a loop."""

import torch

from hf_fashion.losses.combiner import combiner_loss
from tests.tiny_combiner import tiny_queries


def test_it_equals_a_loop():
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


def test_right_queries_have_a_lower_loss_and_gradients():
    targets = tiny_queries(4)["photo_embeds"]
    queries = (targets / 3).requires_grad_()
    scale = torch.tensor(10.0, requires_grad=True)
    right = combiner_loss(queries, targets, torch.arange(4), scale)
    assert right < combiner_loss(-queries, targets, torch.arange(4), scale)
    right.backward()
    assert queries.grad.abs().sum() > 0 and scale.grad != 0


def test_one_query_has_nothing_to_be_told_from():
    queries = tiny_queries(1)
    assert combiner_loss(queries["start_embeds"], queries["photo_embeds"], torch.tensor([0]), 5.0) == 0
