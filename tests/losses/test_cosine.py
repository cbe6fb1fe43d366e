"""Cosines against the definition, with zeros, and with their precision under autocast."""

import pytest
import torch

from hf_fashion.losses.cosine import all_cosines, paired_cosines, unit_rows


@pytest.fixture
def rows() -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    return tuple(torch.randn(number, 5, dtype=torch.float64, generator=generator) for number in (4, 3))


def naive_cosine(left: torch.Tensor, right: torch.Tensor) -> float:
    return sum(x * y for x, y in zip(left.tolist(), right.tolist(), strict=True)) / float(left.norm() * right.norm())


def test_all_cosines_equal_the_loop(rows):
    left, right = rows
    expected = [[naive_cosine(x, y) for y in right] for x in left]
    torch.testing.assert_close(all_cosines(left, right), torch.tensor(expected, dtype=torch.float64))


def test_paired_cosines_are_the_diagonal(rows):
    left, right = rows
    torch.testing.assert_close(paired_cosines(left[:3], right), all_cosines(left[:3], right).diagonal())


def test_a_row_of_zeros_stays_zero_and_has_cosine_zero():
    zeros, ones = torch.zeros(1, 3), torch.ones(1, 3)
    assert unit_rows(zeros).tolist() == [[0, 0, 0]]
    assert all_cosines(zeros, ones).item() == paired_cosines(zeros, ones).item() == 0


def test_no_rows_give_no_cosines():
    assert all_cosines(torch.zeros(0, 3), torch.ones(2, 3)).shape == (0, 2)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_the_result_is_float32_or_better(rows, dtype):
    left, right = (part.to(dtype) for part in rows)
    with torch.autocast("cpu", torch.bfloat16):
        found = all_cosines(left, right)
    assert found.dtype == torch.promote_types(dtype, torch.float32)
    expected = all_cosines(left.double(), right.double())
    torch.testing.assert_close(found.double(), expected, rtol=0, atol=1e-6)


def test_the_gradient_is_right(rows):
    left, right = (part.requires_grad_() for part in rows)
    assert torch.autograd.gradcheck(all_cosines, (left, right))
    assert torch.autograd.gradcheck(paired_cosines, (left[:3], right))
