"""Axes that vectors lie closest to, and how a store keeps them."""

import pyarrow as pa
import pytest
import torch
from torch.nn.functional import normalize

from hf_fashion.retrieval.projection import axes_as_attachments, principal_axes, read_spaces
from hf_fashion.retrieval.schema import GallerySchema


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


AXES = principal_axes(torch.randn(20, 8, generator=torch.Generator().manual_seed(0)), 3)
SCHEMA = GallerySchema({"image": 5, "neckline": 8}, pa.schema([]), "", {"neckline": 3})


def test_axes_pass_through_bytes():
    attachments = axes_as_attachments(SCHEMA, {"neckline": AXES})
    assert {len(value) for value in attachments.values()} == {4 * 8}
    spaces = read_spaces(SCHEMA, attachments, "somewhere")
    assert torch.equal(spaces["neckline"].axes, AXES) and spaces["neckline"].column == "vector_1"
    assert spaces["image"].axes is None and spaces["image"].dimension == 5


def test_a_missing_axis_is_damage():
    attachments = axes_as_attachments(SCHEMA, {"neckline": AXES})
    del attachments["vector_1/2"]
    with pytest.raises(OSError, match=r"somewhere is damaged: an axis of its vectors is missing \(vector_1/2\)"):
        read_spaces(SCHEMA, attachments, "somewhere")


@pytest.mark.parametrize("content", [bytes(32), bytes(8), bytes(7)], ids=["zeros", "cut off", "within a number"])
def test_an_overwritten_axis_is_damage(content):
    attachments = axes_as_attachments(SCHEMA, {"neckline": AXES}) | {"vector_1/1": content}
    with pytest.raises(OSError, match="somewhere is damaged: the axes of its vectors are no axes"):
        read_spaces(SCHEMA, attachments, "somewhere")


def test_axes_of_another_dimension_are_refused():
    with pytest.raises(ValueError, match=r"`axes\['neckline'\]` must be orthonormal columns of shape \(8, r\)"):
        axes_as_attachments(SCHEMA, {"neckline": torch.eye(6)[:, :3]})
