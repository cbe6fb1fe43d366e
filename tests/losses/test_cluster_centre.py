"""The loss towards cluster centres (equation 16): against a loop, with absent centres, and as published."""

import pytest
import torch
from safetensors.torch import load_file
from torch.nn.functional import cosine_similarity

from hf_fashion.losses.cluster_centre import cluster_centre_loss


def naive_equation_16(embeds, attributes, values, centres, present, margin):
    losses = []
    for row, a, v in zip(embeds, attributes, values, strict=True):
        others = [u for u in range(centres.shape[1]) if u != v and present[a, u]]
        if v < 0 or not present[a, v] or not others:
            continue
        own = cosine_similarity(row, centres[a, v], dim=0).item()
        hinges = [max(0.0, margin - own + cosine_similarity(row, centres[a, u], dim=0).item()) for u in others]
        losses.append(sum(hinges) / len(others))
    return sum(losses) / len(losses) if losses else 0.0


@pytest.fixture
def case():
    generator = torch.Generator().manual_seed(0)
    embeds = torch.randn(30, 6, dtype=torch.float64, generator=generator)
    attributes = torch.randint(3, (30,), generator=generator)
    values = torch.randint(-1, 5, (30,), generator=generator)
    values[:6] = -1
    centres = torch.randn(3, 5, 6, dtype=torch.float64, generator=generator)
    # All, only one, and some of an attribute's centres.
    present = torch.tensor([[1, 1, 1, 1, 1], [0, 0, 1, 0, 0], [1, 0, 1, 1, 0]]).bool()
    return embeds, attributes, values, centres, present


@pytest.mark.parametrize("margin", [0.0, 0.2, 1.0])
def test_equation_16(case, margin):
    assert cluster_centre_loss(*case, margin).item() == pytest.approx(naive_equation_16(*case, margin), abs=1e-12)


def test_hand_computed():
    """Own cosine 0.8, the others 0.6 and -1: (0.2 - 0.8 + 0.6 and 0) on average."""
    centres = torch.tensor([[[4.0, 3.0], [3.0, 4.0], [-1.0, 0.0]]])
    present = torch.ones(1, 3, dtype=torch.bool)
    ids = torch.zeros(1, dtype=torch.long)
    embeds = torch.tensor([[1.0, 0.0]])
    assert cluster_centre_loss(embeds, ids, ids, centres, present).item() == pytest.approx(0, abs=1e-6)
    assert cluster_centre_loss(embeds, ids, ids, centres, present, 0.5).item() == pytest.approx(0.3 / 2)


def test_an_absent_centre_is_as_if_it_did_not_exist(case):
    embeds, attributes, values, centres, present = case
    present[:, 4] = False
    kept = values < 4
    without = cluster_centre_loss(embeds[kept], attributes[kept], values[kept], centres[:, :4], present[:, :4])
    torch.testing.assert_close(cluster_centre_loss(*case), without)


@pytest.mark.parametrize("there", [[], [0], [1, 2]], ids=["none", "only the own", "only others"])
def test_an_item_without_its_centre_or_others_takes_no_part(there):
    embeds = torch.randn(2, 4, requires_grad=True)
    present = torch.zeros(1, 3, dtype=torch.bool)
    present[0, there] = True
    ids = torch.zeros(2, dtype=torch.long)
    loss = cluster_centre_loss(embeds, ids, ids, torch.randn(1, 3, 4), present)
    loss.backward()
    assert loss == 0 and embeds.grad.abs().max() == 0


def test_no_item_gives_zero(case):
    embeds, attributes, values, centres, present = case
    assert cluster_centre_loss(embeds[:0], attributes[:0], values[:0], centres, present) == 0


def test_a_tie_with_another_centre_costs_the_margin():
    centres = torch.ones(1, 3, 4)
    ids = torch.zeros(2, dtype=torch.long)
    loss = cluster_centre_loss(torch.randn(2, 4), ids, ids, centres, torch.ones(1, 3, dtype=torch.bool))
    assert loss.item() == pytest.approx(0.2)


def test_no_gradient_reaches_the_centres_and_it_is_right_for_the_items(case):
    embeds, attributes, values, centres, present = case
    embeds.requires_grad_()
    centres.requires_grad_()
    assert torch.autograd.gradcheck(lambda e: cluster_centre_loss(e, attributes, values, centres, present), embeds)
    cluster_centre_loss(*case).backward()
    assert centres.grad is None


def test_half_precision_is_computed_in_float32(case):
    embeds, attributes, values, centres, present = case
    halves = (embeds.half(), attributes, values, centres.half(), present)
    expected = naive_equation_16(halves[0].double(), attributes, values, halves[3].double(), present, 0.2)
    with torch.autocast("cpu", torch.bfloat16):
        found = cluster_centre_loss(*halves)
    assert found.dtype == torch.float32
    assert found.item() == pytest.approx(expected, abs=1e-6)


def test_parity_with_the_published_loss(shared_fixtures):
    """The fixture gives each anchor its own positive and its own negatives: an attribute each, value 0 the own one."""
    tensors = load_file(shared_fixtures / "triplet_and_centre.safetensors")
    anchor = tensors["anchor"].requires_grad_()
    counts = tensors["neg_counts"].tolist()
    centres = torch.zeros(len(counts), 1 + max(counts), anchor.shape[1], dtype=anchor.dtype)
    present = torch.zeros(centres.shape[:2], dtype=torch.bool)
    for row, negatives in enumerate(tensors["neg_centres"].split(counts)):
        centres[row, : len(negatives) + 1] = torch.cat([tensors["positive"][row : row + 1], negatives])
        present[row, : len(negatives) + 1] = True
    loss = cluster_centre_loss(anchor, torch.arange(5), torch.zeros(5, dtype=torch.long), centres, present)
    loss.backward()
    torch.testing.assert_close(loss, tensors["centre_loss"][0], rtol=0, atol=1e-10)
    torch.testing.assert_close(anchor.grad, tensors["centre_grad_anchor"], rtol=0, atol=1e-10)
