"""The triplet loss (equation 14): against a loop, by rows and by indices, and against the published code."""

import pytest
import torch
from safetensors.torch import load_file

from hf_fashion.losses.triplet import indexed_triplet_loss, triplet_loss


def naive_equation_14(anchor, positive, negative, margin):
    losses = []
    for x, p, n in zip(anchor, positive, negative, strict=True):
        good, bad = (x @ p / (x.norm() * p.norm())).item(), (x @ n / (x.norm() * n.norm())).item()
        losses.append(max(0.0, margin - good + bad))
    return sum(losses) / len(losses)


@pytest.fixture
def rows():
    generator = torch.Generator().manual_seed(0)
    return [torch.randn(40, 6, dtype=torch.float64, generator=generator) for _ in range(3)]


@pytest.mark.parametrize("margin", [0.0, 0.2, 1.5])
def test_equation_14(rows, margin):
    assert triplet_loss(*rows, margin).item() == pytest.approx(naive_equation_14(*rows, margin), abs=1e-12)


def test_hand_computed():
    """Cosines 0.6 and 0.8: 0.2 - 0.6 + 0.8; and 1 and -1: nothing."""
    anchor = torch.tensor([[1.0, 0.0], [0.0, 2.0]])
    positive = torch.tensor([[3.0, 4.0], [0.0, 5.0]])
    negative = torch.tensor([[8.0, 6.0], [0.0, -1.0]])
    assert triplet_loss(anchor, positive, negative).item() == pytest.approx(0.4 / 2)


def test_indices_say_the_same_as_rows(rows):
    embeds = rows[0]
    triplets = torch.randint(40, (300, 3), generator=torch.Generator().manual_seed(1))
    gradients = []
    for loss_of in (lambda e: indexed_triplet_loss(e, triplets), lambda e: triplet_loss(*e[triplets].unbind(1))):
        leaf = embeds.clone().requires_grad_()
        loss = loss_of(leaf)
        gradients.append((loss.detach(), *torch.autograd.grad(loss, leaf)))
    torch.testing.assert_close(gradients[0], gradients[1], rtol=1e-12, atol=1e-14)


def test_all_cosines_negative():
    anchor = torch.tensor([[1.0, 0.0]])
    loss = triplet_loss(anchor, torch.tensor([[-1.0, 0.0]]), torch.tensor([[-1.0, 1.0]]))
    assert loss.item() == pytest.approx(0.2 + 1 - 0.5**0.5)


def test_a_tie_costs_the_margin_and_moves_both():
    embeds = torch.tensor([[1.0, 0.0], [0.6, 0.8], [0.6, 0.8]], requires_grad=True)
    loss = indexed_triplet_loss(embeds, torch.tensor([[0, 1, 2]]))
    loss.backward()
    assert loss.item() == pytest.approx(0.2)
    torch.testing.assert_close(embeds.grad[1], -embeds.grad[2])
    assert embeds.grad[1].norm() > 0.1


def test_a_triplet_far_apart_enough_gets_no_gradient():
    embeds = torch.tensor([[1.0, 0.0], [1.0, 0.1], [0.0, 1.0]], requires_grad=True)
    indexed_triplet_loss(embeds, torch.tensor([[0, 1, 2]])).backward()
    assert embeds.grad.abs().max() == 0


def test_no_triplet_gives_zero_and_zero_gradients():
    embeds = torch.randn(3, 4, requires_grad=True)
    loss = indexed_triplet_loss(embeds, torch.zeros(0, 3, dtype=torch.long))
    loss.backward()
    assert loss == 0 and embeds.grad.abs().max() == 0
    assert triplet_loss(*(torch.zeros(0, 4) for _ in range(3))) == 0


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_is_computed_in_float32(rows, dtype):
    embeds = rows[0].to(dtype)
    triplets = torch.randint(40, (300, 3), generator=torch.Generator().manual_seed(1))
    expected = naive_equation_14(*embeds.double()[triplets].unbind(1), 0.2)
    with torch.autocast("cpu", torch.bfloat16):
        found = indexed_triplet_loss(embeds, triplets)
    assert found.dtype == torch.float32
    assert found.item() == pytest.approx(expected, abs=1e-6)


def test_parity_with_the_published_ipad(shared_fixtures):
    tensors = load_file(shared_fixtures / "triplet_and_centre.safetensors")
    names = ("anchor", "positive", "negative")
    leaves = [tensors[name].requires_grad_() for name in names]
    loss = triplet_loss(*leaves)
    loss.backward()
    torch.testing.assert_close(loss, tensors["triplet"][0], rtol=0, atol=1e-10)
    for leaf, name in zip(leaves, names, strict=True):
        torch.testing.assert_close(leaf.grad, tensors[f"grad_{name}"], rtol=0, atol=1e-10)
