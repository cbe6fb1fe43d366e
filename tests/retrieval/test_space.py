"""How a space's vectors become a column, whole or along fewer axes, and what comes back."""

import pyarrow as pa
import pytest
import torch
from torch.nn.functional import normalize

from hf_fashion.retrieval.principal_axes import principal_axes
from hf_fashion.retrieval.space import Space


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
