"""Axes that vectors lie closest to, and vectors compressed along them."""

import pytest
import torch
from torch.nn.functional import normalize

from hf_fashion.retrieval.projection import compress, directions, principal_axes, reduce_queries, restore


def test_axes_are_orthonormal_and_span_what_the_vectors_span():
    generator = torch.Generator().manual_seed(0)
    plane = torch.linalg.qr(torch.randn(16, 3, generator=generator)).Q
    vectors = torch.randn(50, 3, generator=generator) @ plane.T
    axes = principal_axes(vectors * 7, 3)
    assert axes.dtype == torch.float32 and axes.shape == (16, 3)
    torch.testing.assert_close(axes.T @ axes, torch.eye(3), atol=1e-5, rtol=0)
    torch.testing.assert_close(vectors @ axes @ axes.T, vectors, atol=1e-4, rtol=0)


def test_axes_are_the_right_singular_vectors_of_the_directions():
    vectors = torch.randn(40, 6, generator=torch.Generator().manual_seed(1))
    expected = torch.linalg.svd(normalize(vectors, dim=-1)).Vh[:2].T
    axes = principal_axes(vectors, 2)
    torch.testing.assert_close((axes * expected).sum(0).abs(), torch.ones(2))
    assert (axes.gather(0, axes.abs().argmax(0, keepdim=True)) > 0).all()


@pytest.mark.parametrize("dimensions", [0, 5, 7])
def test_there_are_no_more_axes_than_vectors_or_dimensions(dimensions):
    with pytest.raises(ValueError, match=r"`dimensions` must be from 1 to 4, N and d of `vectors`"):
        principal_axes(torch.randn(4, 6), dimensions)


VECTORS = torch.randn(30, 8, generator=torch.Generator().manual_seed(0))
AXES = principal_axes(VECTORS, 3)


def test_compressed_vectors_are_the_nearest_directions_along_the_axes():
    compressed = compress(VECTORS * 7, AXES, "vectors")
    torch.testing.assert_close(compressed, normalize(VECTORS @ AXES, dim=-1))
    torch.testing.assert_close(restore(compressed, AXES), normalize(VECTORS @ AXES @ AXES.T, dim=-1))


def test_reduced_queries_give_the_cosines_with_what_is_restored():
    queries, compressed = normalize(VECTORS[:4] + 1, dim=-1), compress(VECTORS, AXES, "vectors")
    cosines = queries @ restore(compressed, AXES).T
    torch.testing.assert_close(reduce_queries(queries, AXES) @ compressed.T, cosines)


def test_without_axes_vectors_stay_whole():
    whole = normalize(VECTORS, dim=-1)
    torch.testing.assert_close(compress(VECTORS, None, "vectors"), whole)
    assert reduce_queries(whole, None) is restore(whole, None) is whole


@pytest.mark.parametrize(
    ("vectors", "axes", "message"),
    [
        (torch.zeros(1, 8), None, "`vectors` must be finite and not zero, row 0 has length 0"),
        (torch.full((1, 8), torch.nan), AXES, "`vectors` must be finite and not zero, row 0 has length nan"),
        (torch.eye(8)[[0, 6]], torch.eye(8)[:, :5], "`vectors along the gallery's axes` must .* row 1 has length 0"),
    ],
)
def test_a_vector_without_a_direction_is_refused(vectors, axes, message):
    with pytest.raises(ValueError, match=message):
        compress(vectors, axes, "vectors")


def test_directions_are_float32_of_length_one():
    rows = directions(VECTORS.half(), "vectors")
    assert rows.dtype == torch.float32
    torch.testing.assert_close(rows.norm(dim=-1), torch.ones(30))
