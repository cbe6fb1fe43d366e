"""E-InfoNCE (equation 15): against a loop that follows its terms, and against the published code."""

import math

import pytest
import torch
from safetensors.torch import load_file
from torch.nn.functional import normalize

from hf_fashion.losses.e_info_nce import e_info_nce


def naive_equation_15(region, patch, background, attributes, values, temperature, epsilon):
    region, patch, background = (normalize(rows, dim=-1) for rows in (region, patch, background))
    items, total = range(len(region)), 0.0
    for i in items:
        numerator = denominator = 0.0
        for j in items:
            foreground = math.exp(region[i] @ patch[j] / temperature)
            denominator += foreground
            if attributes[i] == attributes[j]:
                denominator += epsilon * math.exp(region[i] @ background[j] / temperature)
                numerator += foreground if values[i] == values[j] else 0.0
        total -= math.log(numerator / denominator)
    return total / len(region)


def random_rows(size: int, dim: int = 6) -> list[torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    return [torch.randn(size, dim, dtype=torch.float64, generator=generator) for _ in range(3)]


@pytest.mark.parametrize(("temperature", "epsilon"), [(0.07, 12.0), (1.0, 1.0), (0.2, 0.5)])
@pytest.mark.parametrize(
    ("attributes", "values"),
    [
        ([0, 1, 0, 2, 1, 0], [1, 2, 1, 0, 2, 0]),
        ([0] * 6, [0] * 6),
        ([0, 1, 2, 3, 4, 5], [0] * 6),
        ([0] * 6, [0, 1, 2, 3, 4, 5]),
    ],
    ids=["mixed", "one value", "one item an attribute", "one item a value"],
)
def test_equation_15(attributes, values, temperature, epsilon):
    rows = random_rows(6)
    expected = naive_equation_15(*rows, attributes, values, temperature, epsilon)
    found = e_info_nce(*rows, torch.tensor(attributes), torch.tensor(values), temperature, epsilon)
    assert found.item() == pytest.approx(expected, rel=1e-10)


def test_a_value_number_means_another_value_under_another_attribute():
    rows, values = random_rows(4), torch.zeros(4, dtype=torch.long)
    apart = e_info_nce(*rows, torch.tensor([0, 0, 1, 1]), values)
    renamed = e_info_nce(*rows, torch.tensor([0, 0, 1, 1]), torch.tensor([0, 0, 7, 7]))
    together = e_info_nce(*rows, torch.zeros(4, dtype=torch.long), values)
    assert apart.item() == pytest.approx(renamed.item()) != together.item()


def test_hand_computed_tie():
    """All cosines 1: every item has 2 matches among 4 regions and 2 backgrounds counted 3 times."""
    rows = [torch.ones(4, 3) for _ in range(3)]
    loss = e_info_nce(*rows, torch.tensor([0, 0, 1, 1]), torch.tensor([0, 0, 0, 0]), epsilon=3.0)
    assert loss.item() == pytest.approx(math.log(10 / 2), rel=1e-6)


def test_the_gradient_leads_away_from_the_background_and_towards_the_match():
    region = torch.tensor([[1.0, 0.0, 0.0]], requires_grad=True)
    patch, background = torch.tensor([[0.0, 1.0, 0.0]]), torch.tensor([[0.0, 0.0, 1.0]])
    zero = torch.zeros(1, dtype=torch.long)
    e_info_nce(region, patch, background, zero, zero).backward()
    assert region.grad[0, 1] < 0 < region.grad[0, 2]


def test_negative_cosines_and_small_temperatures_stay_finite():
    embeds = torch.eye(3).requires_grad_()
    loss = e_info_nce(embeds, -embeds, embeds, torch.tensor([0, 0, 1]), torch.tensor([0, 1, 0]), 0.001)
    loss.backward()
    assert loss.item() == pytest.approx(2000 + math.log(12), rel=1e-6)
    assert embeds.grad.isfinite().all()


def test_no_item_gives_zero():
    empty = torch.zeros(0, 4)
    ids = torch.zeros(0, dtype=torch.long)
    assert e_info_nce(empty, empty, empty, ids, ids) == 0


def test_half_precision_is_computed_in_float32():
    rows = [part.half() for part in random_rows(6)]
    ids = (torch.tensor([0, 1, 0, 2, 1, 0]), torch.tensor([1, 2, 1, 0, 2, 0]))
    expected = e_info_nce(*(part.double() for part in rows), *ids)
    with torch.autocast("cpu", torch.bfloat16):
        found = e_info_nce(*rows, *ids)
    assert found.dtype == torch.float32
    assert found.item() == pytest.approx(expected.item(), rel=1e-5)


def test_parity_with_the_published_loss(shared_fixtures):
    tensors = load_file(shared_fixtures / "e_infonce.safetensors")
    names = ("region", "patch", "background")
    leaves = [tensors[f"f_{name}"].requires_grad_() for name in names]
    loss = e_info_nce(*leaves, tensors["attribute"], tensors["value"])
    loss.backward()
    torch.testing.assert_close(loss, tensors["loss_type1"][0], rtol=0, atol=1e-10)
    for leaf, name in zip(leaves, names, strict=True):
        torch.testing.assert_close(leaf.grad, tensors[f"grad_{name}"], rtol=0, atol=1e-10)
