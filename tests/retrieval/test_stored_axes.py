"""Axes of a gallery's spaces as attachments of its store."""

import pyarrow as pa
import pytest
import torch

from hf_fashion.retrieval.projection import principal_axes
from hf_fashion.retrieval.schema import GallerySchema
from hf_fashion.retrieval.stored_axes import axes_as_attachments, read_spaces


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
    with pytest.raises(OSError, match="somewhere is damaged: the axes stored for its vectors are not valid"):
        read_spaces(SCHEMA, attachments, "somewhere")


def test_axes_of_another_dimension_are_refused():
    with pytest.raises(ValueError, match=r"`axes\['neckline'\]` must be orthonormal columns of shape \(8, r\)"):
        axes_as_attachments(SCHEMA, {"neckline": torch.eye(6)[:, :3]})


def test_a_number_of_axes_that_a_schema_only_claims_costs_no_memory():
    claimed = GallerySchema({"image": 10**12}, pa.schema([]), "", {"image": 10**12})
    with pytest.raises(OSError, match=r"an axis of its vectors is missing \(vector_0/0\)"):
        read_spaces(claimed, {}, "somewhere")
