"""The columns of a gallery's table, and rows that fit them."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from numbers import Integral, Number
from typing import Any

import pyarrow as pa
import torch
from torch import Tensor

from .space import Space, axes_of


ID = "id"
_KEY = b"hf_fashion.gallery"  # of the table's metadata
_FORMAT = 1
_COLUMN_NAME = re.compile(r"[^\W\d_][\w \-]*")
_TAKEN_NAME = re.compile(r"id|query_index|vector_\d+")


@dataclass(frozen=True)
class GallerySchema:
    """What a gallery holds of each product: an id, metadata, and one vector for each space.

    Args:
        spaces (`Mapping[str, int]`): name and dimension of each space, at least one.
        metadata (`pyarrow.Schema`): names and types of the metadata columns; every value may be missing.
        fingerprint (`str`): of the model that embedded the photos.
        axes (`Mapping[str, torch.Tensor]`, *optional*): for spaces whose vectors are kept along fewer axes, those
            axes, (d, r), orthonormal.

    Raises:
        ValueError: there is no space, a dimension is below 1, axes do not fit their space, or a metadata column has a
            name that filters cannot use.
    """

    spaces: Mapping[str, int]
    metadata: pa.Schema
    fingerprint: str
    axes: Mapping[str, Tensor] = field(default_factory=dict, compare=False)

    def __post_init__(self):
        if not self.spaces or min(self.spaces.values()) < 1:
            raise ValueError(f"`spaces` must give at least one name its dimension, 1 or more, got {dict(self.spaces)}")
        for space, axes in self.axes.items():
            _require_axes(space, axes, self.spaces)
        for name in self.metadata.names:
            if not _COLUMN_NAME.fullmatch(name) or _TAKEN_NAME.fullmatch(name):
                raise ValueError(
                    f"a gallery can have no metadata column {name!r}: names begin with a letter, go on with letters, "
                    "digits, '_', '-' or spaces, and are not 'id', 'query_index' or 'vector_0'. Rename the column"
                )

    @classmethod
    def from_table(cls, table: pa.Schema, attachments: Mapping[str, bytes]) -> GallerySchema:
        """The schema that [`GallerySchema.to_table`] and [`GallerySchema.attachments`] wrote.

        Raises:
            ValueError: the table is no gallery, or one that a newer version of hf_fashion wrote.
            LookupError: axes are missing among the attachments.
        """
        written = json.loads((table.metadata or {}).get(_KEY, b"{}"))
        if written.get("format") != _FORMAT:
            raise ValueError(
                f"the table must be a gallery of format {_FORMAT}, got format {written.get('format')}"
                + ("; upgrade hf_fashion to read it" if written else ": hf_fashion did not write it")
            )
        metadata = [field for field in table if field.name != ID and not _TAKEN_NAME.fullmatch(field.name)]
        whole = cls(written["spaces"], pa.schema(metadata), written["fingerprint"])
        axes = {
            name: axes_of(whole.space(name).column, number, attachments) for name, number in written["axes"].items()
        }
        return replace(whole, axes=axes)

    def to_table(self) -> pa.Schema:
        """Schema of the table, with all of this in its metadata but for the axes, of which it has the number."""
        axes = {space: axes.shape[1] for space, axes in self.axes.items()}
        written = {"format": _FORMAT, "fingerprint": self.fingerprint, "spaces": dict(self.spaces), "axes": axes}
        vectors = [self.space(name).field() for name in self.spaces]
        fields = [pa.field(ID, pa.string(), nullable=False), *self.metadata, *vectors]
        return pa.schema(fields, metadata={_KEY: json.dumps(written)})

    def attachments(self) -> dict[str, bytes]:
        """The axes of all spaces as a store keeps them beside the table."""
        return {name: value for space in self.spaces for name, value in self.space(space).attachments().items()}

    def space(self, name: str) -> Space:
        """One of the spaces.

        Raises:
            ValueError: the gallery has no such space.
        """
        if name not in self.spaces:
            raise ValueError(f"`space` must be one of {list(self.spaces)}, got {name!r}")
        return Space(name, f"vector_{list(self.spaces).index(name)}", self.spaces[name], self.axes.get(name))

    def stored_dimensions(self) -> dict[str, int]:
        """How many numbers of each vector are kept, by space."""
        return {name: self.space(name).stored_dimension for name in self.spaces}

    def require_at_most(self, dimensions: int | None) -> None:
        """Does nothing if so many numbers of every vector can be kept.

        Args:
            dimensions (`int`, *optional*): how many; `None` means all.

        Raises:
            ValueError: they are below 1, or more than a space has.
        """
        least = min(self.spaces.values())
        if dimensions is not None and not 1 <= dimensions <= least:
            raise ValueError(f"`dimensions` must be from 1 to {least}, the model's own, got {dimensions}")

    def require_same_columns(self, wanted: GallerySchema, dimensions: int | None, uri: str) -> None:
        """Does nothing if products with the columns of `wanted` can be added.

        Args:
            wanted (`GallerySchema`): the columns of the products.
            dimensions (`int`, *optional*): how many numbers of each vector shall be kept; `None` means all.
            uri (`str`): of this gallery.

        Raises:
            ValueError: spaces, what is kept of them, metadata columns or their types differ.
        """
        kept = {space: dimensions or dimension for space, dimension in wanted.spaces.items()}
        for what, there, here in (
            ("spaces", dict(self.spaces), dict(wanted.spaces)),
            ("stored dimensions", self.stored_dimensions(), kept),
            ("metadata columns", _kinds(self.metadata), _kinds(wanted.metadata)),
        ):
            if there != here:
                raise ValueError(
                    f"the gallery at {uri} has the {what} {there}, what shall be added has {here}: they must be the "
                    "same. Choose the same columns, or embed into another folder"
                )

    def rows(
        self, ids: Sequence[str], vectors: Mapping[str, Tensor], metadata: Mapping[str, Sequence[Any]]
    ) -> pa.Table:
        """Rows of the table: vectors L2-normalised in float16, whole or along their axes.

        Args:
            ids (`Sequence[str]`): N ids, all different.
            vectors (`Mapping[str, torch.Tensor]`): for each space (N, d), floating point.
            metadata (`Mapping[str, Sequence]`): for each metadata column N values, `None` where one is missing.

        Raises:
            ValueError: an id comes twice, spaces or columns are not the gallery's, or a vector has a wrong dimension,
                no direction or no finite length, or a value is not of its column's type.
        """
        _require_same("vectors", vectors, self.spaces)
        _require_same("metadata", metadata, self.metadata.names)
        require_ids(ids)
        if len(set(ids)) < len(ids):
            raise ValueError(f"`ids` must differ, got {next(name for name in ids if ids.count(name) > 1)!r} twice")
        columns = [pa.array(ids, pa.string())]
        columns += [_metadata_column(field, metadata[field.name]) for field in self.metadata]
        columns += [self.space(name).to_column(vectors[name], len(ids)) for name in self.spaces]
        return pa.Table.from_arrays(columns, schema=self.to_table())


def require_ids(ids: Sequence[str]) -> None:
    """Does nothing if these are ids.

    Args:
        ids (`Sequence[str]`): what was given as ids.

    Raises:
        ValueError: they are one string, whose letters would be taken for ids, or not all of them are strings.
    """
    strange = [name for name in ids if not isinstance(name, str)]
    if isinstance(ids, str) or strange:
        came = ids if isinstance(ids, str) else strange[0]
        raise ValueError(f"`ids` must be a list of strings, got {came!r} ({type(came).__name__})")


def _metadata_column(field: pa.Field, values: Sequence[Any]) -> pa.Array:
    try:
        column = pa.array(values, field.type)
    except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
        raise ValueError(f"`metadata[{field.name!r}]` must hold {field.type} or None: {error}") from error
    _require_whole(field, values)
    return column


def _require_whole(field: pa.Field, values: Sequence[Any]) -> None:
    """Raises where Arrow has cut off the fraction of a number."""
    several = pa.types.is_list(field.type) or pa.types.is_large_list(field.type)
    kind = field.type.value_type if several else field.type
    if not (pa.types.is_integer(kind) or pa.types.is_temporal(kind)):
        return
    for row, value in enumerate(values):
        numbers = value if several and value is not None else [value]
        if any(isinstance(one, Number) and not isinstance(one, Integral) and one % 1 for one in numbers):
            raise ValueError(
                f"`metadata[{field.name!r}]` must hold {field.type} or None, row {row} is {value!r}, whose fraction "
                "would be lost. Round it, or make the gallery with a column of floats"
            )


def _kinds(schema: pa.Schema) -> dict[str, str]:
    return {field.name: str(field.type) for field in schema}


def _require_same(argument: str, given: Mapping[str, Any], wanted: Sequence[str]) -> None:
    if set(given) != set(wanted):
        raise ValueError(f"`{argument}` must have the keys {list(wanted)}, got {list(given)}")


def _require_axes(space: str, axes: Tensor, spaces: Mapping[str, int]) -> None:
    wide = axes.ndim == 2 and 1 <= axes.shape[1] <= axes.shape[0] == spaces.get(space)
    if not wide or not torch.allclose(axes.T @ axes, torch.eye(axes.shape[1]), atol=1e-3):
        raise ValueError(
            f"`axes[{space!r}]` must be orthonormal columns of shape (d, r), d the dimension of a space in "
            f"{dict(spaces)} and r at most d, got {tuple(axes.shape)}. `principal_axes` makes such ones"
        )
