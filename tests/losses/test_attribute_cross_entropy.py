"""Cross-entropy of several attributes, against a loop over labels."""

import pytest
import torch

from hf_fashion.losses.attribute_cross_entropy import attribute_cross_entropy


NUM_VALUES = [2, 3]
LOGITS = torch.tensor([[1.0, 0.0, 2.0, 0.0, -1.0], [0.5, 0.5, 0.0, 0.0, 0.0], [-1.0, 3.0, 1.0, 1.0, 4.0]])


def by_loop(logits: torch.Tensor, value_ids: torch.Tensor) -> float:
    means, start = [], 0
    for attribute, number in enumerate(NUM_VALUES):
        losses = [
            -logits[row, start : start + number].log_softmax(0)[ids[attribute]].item()
            for row, ids in enumerate(value_ids.tolist())
            if ids[attribute] >= 0
        ]
        means += [sum(losses) / len(losses)] if losses else []
        start += number
    return sum(means) / len(means) if means else 0.0


@pytest.mark.parametrize(
    "value_ids", [[[0, 2], [1, 0], [1, 1]], [[0, -1], [-1, 0], [1, 1]], [[0, -1], [1, -1], [-1, -1]], [[-1, -1]] * 3]
)
def test_equals_the_loop(value_ids):
    value_ids = torch.tensor(value_ids)
    found = attribute_cross_entropy(LOGITS, value_ids, NUM_VALUES)
    assert found.item() == pytest.approx(by_loop(LOGITS, value_ids), abs=1e-6)


def test_unlabelled_rows_get_no_gradient():
    logits = LOGITS.clone().requires_grad_()
    attribute_cross_entropy(logits, torch.tensor([[0, -1], [-1, -1], [1, 1]]), NUM_VALUES).backward()
    assert logits.grad[1].abs().sum() == 0 and logits.grad[0, 2:].abs().sum() == 0 and logits.grad[0, 0] < 0
