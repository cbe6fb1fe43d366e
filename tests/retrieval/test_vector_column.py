"""How a space's vectors become a column, whole or along fewer axes, and what comes back."""

import pyarrow as pa
import pytest
import torch
from torch.nn.functional import normalize

from hf_fashion.retrieval import vector_column
from hf_fashion.retrieval.projection import principal_axes
from hf_fashion.retrieval.vector_column import Space, StoredVectors


VECTORS = torch.randn(30, 8, generator=torch.Generator().manual_seed(0))
WHOLE = Space("neckline", "vector_3", 8)
REDUCED = Space("neckline", "vector_3", 8, principal_axes(VECTORS, 5))


def kept(space: Space, vectors: torch.Tensor) -> torch.Tensor:
    return space.from_column(pa.chunked_array([space.to_column(vectors, len(vectors))])).directions()


@pytest.mark.parametrize(("space", "width"), [(WHOLE, 8), (REDUCED, 5)])
def test_the_column_holds_half_floats(space, width):
    column = space.to_column(VECTORS, 30)
    assert column.type == pa.list_(pa.float16(), width)
    assert column.flatten().nbytes == 30 * width * 2


def test_whole_vectors_come_back_as_directions():
    torch.testing.assert_close(WHOLE.restored(kept(WHOLE, VECTORS)), normalize(VECTORS, dim=-1), atol=1e-3, rtol=0)


def test_along_axes_the_nearest_vector_in_their_span_is_left():
    restored = REDUCED.restored(kept(REDUCED, VECTORS))
    projected = VECTORS @ REDUCED.axes @ REDUCED.axes.T
    torch.testing.assert_close(restored, normalize(projected, dim=-1), atol=1e-3, rtol=0)
    torch.testing.assert_close(restored.norm(dim=-1), torch.ones(30))


def test_reduced_queries_give_the_cosines_with_what_is_left():
    queries = normalize(torch.randn(4, 8, generator=torch.Generator().manual_seed(1)), dim=-1)
    left = kept(REDUCED, VECTORS)
    torch.testing.assert_close(REDUCED.reduced(queries) @ left.T, queries @ REDUCED.restored(left).T)


@pytest.mark.parametrize("axes", [torch.ones(8, 2), torch.eye(8)[:, :0], torch.eye(6), torch.eye(8)[0]])
def test_axes_that_are_not_orthonormal_columns_are_refused(axes):
    with pytest.raises(ValueError, match=r"`axes\['neckline'\]` must be orthonormal columns of shape \(8, r\)"):
        Space("neckline", "vector_3", 8, axes)


def test_a_vector_across_all_axes_is_refused():
    flat = Space("neckline", "vector_3", 8, torch.eye(8)[:, :5])
    with pytest.raises(
        ValueError, match=r"`vectors\['neckline'\] along the gallery's axes` must .* row 1 has length 0"
    ):
        flat.to_column(torch.eye(8)[[0, 6]], 2)


HALF = normalize(torch.randn(11, 6, generator=torch.Generator().manual_seed(0)), dim=-1).half()
STORED = StoredVectors(HALF, HALF.float().norm(dim=-1))


@pytest.mark.parametrize("rows_at_once", [1, 4, 11, 100])
def test_cosines_do_not_depend_on_the_blocks(monkeypatch, rows_at_once):
    monkeypatch.setattr(vector_column, "ROWS_AT_ONCE", rows_at_once)
    queries = torch.randn(3, 6, generator=torch.Generator().manual_seed(1))
    expected = queries.double() @ normalize(HALF.double(), dim=-1).T
    torch.testing.assert_close(STORED.cosines(queries), expected.float(), atol=1e-6, rtol=0)


def test_paired_cosines_are_the_diagonal():
    queries = torch.randn(11, 6, generator=torch.Generator().manual_seed(2))
    torch.testing.assert_close(STORED.paired_cosines(queries), STORED.cosines(queries).diagonal())


def test_directions_have_length_one():
    torch.testing.assert_close(STORED.directions().norm(dim=-1), torch.ones(11), atol=1e-6, rtol=0)


def test_some_rows_are_vectors_too():
    rows = torch.tensor([3, 9, 3])
    assert len(STORED[rows]) == 3
    assert torch.equal(STORED[rows].directions(), STORED.directions()[rows])


def test_none_are_vectors_too():
    assert STORED[torch.tensor([], dtype=torch.long)].cosines(torch.ones(2, 6)).shape == (2, 0)
