"""Alignment of ASEN++'s branches: against a loop, and against the published code with both triplet losses."""

import pytest
import torch
from safetensors.torch import load_file

from hf_fashion.losses.branch_alignment import branch_alignment_loss
from hf_fashion.losses.triplet import triplet_loss


def test_equals_a_loop():
    generator = torch.Generator().manual_seed(0)
    left, right = (torch.randn(9, 5, dtype=torch.float64, generator=generator) for _ in range(2))
    losses = [max(0.0, 1 - (x @ y / (x.norm() * y.norm())).item()) for x, y in zip(left, right, strict=True)]
    assert branch_alignment_loss(left, right).item() == pytest.approx(sum(losses) / 9, abs=1e-12)


def test_agreement_costs_nothing_and_opposition_two():
    embeds = torch.tensor([[3.0, 4.0], [1.0, 1.0]])
    assert branch_alignment_loss(embeds, 7 * embeds).item() == pytest.approx(0, abs=1e-6)
    assert branch_alignment_loss(embeds, -embeds).item() == pytest.approx(2)


def test_the_gradient_turns_the_branches_towards_each_other():
    left = torch.tensor([[1.0, 0.0]], requires_grad=True)
    right = torch.tensor([[0.0, 1.0]], requires_grad=True)
    branch_alignment_loss(left, right).backward()
    assert left.grad.tolist() == [[0, -1]] and right.grad.tolist() == [[-1, 0]]


def test_no_item_gives_zero():
    assert branch_alignment_loss(torch.zeros(0, 3), torch.zeros(0, 3)) == 0


def test_half_precision_is_computed_in_float32():
    embeds = torch.randn(64, 512).half()
    loss = branch_alignment_loss(embeds, embeds)
    assert loss.dtype == torch.float32 and loss.item() < 1e-6


def test_parity_with_the_published_asen_plus_plus(shared_fixtures):
    tensors = load_file(shared_fixtures / "asenpp_losses.safetensors")
    names = ("gx", "gp", "gn", "lx", "lp", "ln")
    leaves = {name: tensors[name].requires_grad_() for name in names}
    losses = {
        "global_triplet": triplet_loss(leaves["gx"], leaves["gp"], leaves["gn"]),
        "local_triplet": triplet_loss(leaves["lx"], leaves["lp"], leaves["ln"]),
        "align": sum(branch_alignment_loss(leaves[f"g{role}"], leaves[f"l{role}"]) for role in "xpn"),
    }
    total = losses["global_triplet"] + 0.1 * losses["local_triplet"] + 0.1 * losses["align"]
    total.backward()
    for name, loss in (losses | {"total": total}).items():
        torch.testing.assert_close(loss, tensors[name][0], rtol=0, atol=1e-10)
    for name, leaf in leaves.items():
        torch.testing.assert_close(leaf.grad, tensors[f"grad_{name}"], rtol=0, atol=1e-10)
