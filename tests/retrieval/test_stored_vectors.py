"""Cosines of half floats, block by block, against float64."""

import pytest
import torch
from torch.nn.functional import normalize

from hf_fashion.retrieval import stored_vectors
from hf_fashion.retrieval.stored_vectors import StoredVectors


HALF = normalize(torch.randn(11, 6, generator=torch.Generator().manual_seed(0)), dim=-1).half()
VECTORS = StoredVectors(HALF, HALF.float().norm(dim=-1))


@pytest.mark.parametrize("rows_at_once", [1, 4, 11, 100])
def test_cosines_do_not_depend_on_the_blocks(monkeypatch, rows_at_once):
    monkeypatch.setattr(stored_vectors, "ROWS_AT_ONCE", rows_at_once)
    queries = torch.randn(3, 6, generator=torch.Generator().manual_seed(1))
    expected = queries.double() @ normalize(HALF.double(), dim=-1).T
    torch.testing.assert_close(VECTORS.cosines(queries), expected.float(), atol=1e-6, rtol=0)


def test_paired_cosines_are_the_diagonal():
    queries = torch.randn(11, 6, generator=torch.Generator().manual_seed(2))
    torch.testing.assert_close(VECTORS.paired_cosines(queries), VECTORS.cosines(queries).diagonal())


def test_directions_have_length_one():
    torch.testing.assert_close(VECTORS.directions().norm(dim=-1), torch.ones(11), atol=1e-6, rtol=0)


def test_some_rows_are_vectors_too():
    rows = torch.tensor([3, 9, 3])
    assert len(VECTORS[rows]) == 3
    assert torch.equal(VECTORS[rows].directions(), VECTORS.directions()[rows])


def test_none_are_vectors_too():
    assert VECTORS[torch.tensor([], dtype=torch.long)].cosines(torch.ones(2, 6)).shape == (2, 0)
