"""Defines the columns of a gallery's table, and makes rows for them."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
from torch import Tensor

from .metadata_column import to_column
from .vector_column import Space


ID = "id"
PHOTO_HASH = "photo_hash"  # of the photo that was embedded, so that a changed one is noticed
_KEY = b"hf_fashion.gallery"  # of the table's metadata
_FORMAT = 1
_HALF = re.compile(r"[\ud800-\udfff]")  # of a character: JSON and Python strings may hold it, UTF-8 and stores cannot
_COLUMN_NAME = re.compile(r"[^\W\d_][\w \-]*")
_TAKEN_NAME = re.compile(rf"{ID}|{PHOTO_HASH}|query_index|vector_\d+")


@dataclass(frozen=True)
class GallerySchema:
    """The columns of a gallery: an id, metadata, and one vector for each space.

    Args:
        spaces (`Mapping[str, int]`): name and dimension of each space, at least one.
        metadata (`pyarrow.Schema`): names and types of the metadata columns; every value may be missing.
        fingerprint (`str`): fingerprint of the model that embedded the photos.
        axes (`Mapping[str, int]`, *optional*): number of axes of each space whose vectors are kept along fewer axes.
        photo_hashes (`bool`, *optional*, defaults to `True`): whether there is a column of photos' hashes; there is
            none in galleries that earlier versions made.

    Raises:
        ValueError: there is no space, a dimension is below 1, axes are fewer than 1 or more than the dimensions, or
            filters cannot use the name of a metadata column, or it comes twice.
    """

    spaces: Mapping[str, int]
    metadata: pa.Schema
    fingerprint: str
    axes: Mapping[str, int] = field(default_factory=dict)
    photo_hashes: bool = True

    def __post_init__(self):
        if not self.spaces or min(self.spaces.values()) < 1:
            raise ValueError(f"`spaces` must give at least one name its dimension, 1 or more, got {dict(self.spaces)}")
        for space, number in self.axes.items():
            if not 1 <= number <= self.spaces.get(space, 0):
                raise ValueError(
                    f"dimensions that are kept of {space!r} must be from 1 to its own, got {number} of "
                    f"{self.spaces.get(space, 'no such space')}"
                )
        if twice := {name for name in self.metadata.names if self.metadata.names.count(name) > 1}:
            raise ValueError(f"a gallery can have a metadata column once only, got {sorted(twice)} more than once")
        for name in self.metadata.names:
            if not _COLUMN_NAME.fullmatch(name) or _TAKEN_NAME.fullmatch(name):
                raise ValueError(
                    f"a gallery can have no metadata column {name!r}: a name must begin with a letter and have only "
                    "letters, digits, '_', '-' and spaces; 'id', 'photo_hash', 'query_index' and 'vector_0' are "
                    "taken. Rename it"
                )

    @classmethod
    def from_table(cls, table: pa.Schema) -> GallerySchema:
        """Read the schema that [`GallerySchema.to_table`] wrote.

        Args:
            table (`pyarrow.Schema`): the table's.

        Raises:
            ValueError: the table is not a gallery, or a newer version of hf_fashion wrote it.
        """
        written = json.loads((table.metadata or {}).get(_KEY, b"{}"))
        if written.get("format") != _FORMAT:
            raise ValueError(
                f"the table must be a gallery of format {_FORMAT}, got format {written.get('format')}"
                + ("; upgrade hf_fashion to read it" if written else ": hf_fashion did not write it")
            )
        metadata = pa.schema([field for field in table if not _TAKEN_NAME.fullmatch(field.name)])
        photo_hashes = written.get("photo_hashes", False)
        return cls(written["spaces"], metadata, written["fingerprint"], written["axes"], photo_hashes)

    def to_table(self) -> pa.Schema:
        """Return the schema of the table, with all of this in its metadata."""
        written = {
            "format": _FORMAT,
            "fingerprint": self.fingerprint,
            "spaces": dict(self.spaces),
            "axes": dict(self.axes),
            "photo_hashes": self.photo_hashes,
        }
        vectors = [
            pa.field(self.column(space), pa.list_(pa.float16(), dimension), nullable=False)
            for space, dimension in self.stored_dimensions().items()
        ]
        hashes = [pa.field(PHOTO_HASH, pa.string())] if self.photo_hashes else []
        fields = [pa.field(ID, pa.string(), nullable=False), *self.metadata, *hashes, *vectors]
        return pa.schema(fields, metadata={_KEY: json.dumps(written)})

    def column(self, space: str) -> str:
        """Return the name of the column with the vectors of a space; a store may not allow the space's own name.

        Args:
            space (`str`): the space.

        Raises:
            ValueError: the gallery has no such space.
        """
        if space not in self.spaces:
            raise ValueError(f"`space` must be one of {list(self.spaces)}, got {space!r}")
        return f"vector_{list(self.spaces).index(space)}"

    def stored_dimensions(self) -> dict[str, int]:
        """Return how many numbers of each vector are kept, by space."""
        return {space: self.axes.get(space, dimension) for space, dimension in self.spaces.items()}

    def filter_columns(self) -> dict[str, pa.DataType]:
        """Return the columns that filters may name, and their types."""
        return {ID: pa.string()} | {field.name: field.type for field in self.metadata}

    def require_same_columns(self, wanted: GallerySchema, uri: str) -> None:
        """Raise if products with other columns cannot be added.

        Args:
            wanted (`GallerySchema`): the columns of the products.
            uri (`str`): where this gallery is.

        Raises:
            ValueError: spaces, what is kept of them, metadata columns or their types differ.
        """
        for what, there, here in (
            ("spaces", dict(self.spaces), dict(wanted.spaces)),
            ("stored dimensions", self.stored_dimensions(), wanted.stored_dimensions()),
            ("metadata columns", _kinds(self.metadata), _kinds(wanted.metadata)),
        ):
            if there != here:
                raise ValueError(
                    f"the gallery at {uri} has the {what} {there}, the products to add have {here}: they must be the "
                    "same. Choose the same `metadata_columns` (--metadata_columns), `dimensions` (--dimensions) and "
                    "`regions` (--regions), or embed into another folder"
                )

    def rows(
        self,
        ids: Sequence[str],
        vectors: Mapping[str, Tensor],
        metadata: Mapping[str, Sequence[Any]],
        spaces: Mapping[str, Space],
        photo_hashes: Sequence[str | None] | None = None,
    ) -> pa.Table:
        """Return rows of the table: vectors L2-normalised in float16, whole or along their axes.

        Args:
            ids (`Sequence[str]`): N ids, all different.
            vectors (`Mapping[str, torch.Tensor]`): for each space (N, d), floating point.
            metadata (`Mapping[str, Sequence]`): for each metadata column N values, `None` or NaN where one is missing.
            spaces (`Mapping[str, Space]`): how each space keeps its vectors.
            photo_hashes (`Sequence[str]`, *optional*): N hashes of photos, `None` where one is not known.

        Raises:
            ValueError: an id comes twice, spaces or columns are not the gallery's, or a vector has a wrong dimension,
                no direction or no finite length, or a value is not of its column's type or is infinite.
        """
        _require_same("vectors", vectors, self.spaces)
        columns = self.changes(ids, metadata).columns
        if self.photo_hashes:
            columns.append(pa.array([None] * len(ids) if photo_hashes is None else photo_hashes, pa.string()))
        columns += [spaces[name].to_column(vectors[name], len(ids)) for name in self.spaces]
        return pa.Table.from_arrays(columns, schema=self.to_table())

    def changes(self, ids: Sequence[str], metadata: Mapping[str, Sequence[Any]]) -> pa.Table:
        """Return ids and metadata as columns of the table.

        Args:
            ids (`Sequence[str]`): N ids, all different.
            metadata (`Mapping[str, Sequence]`): for each metadata column N values, `None` where one is missing.

        Raises:
            ValueError: an id comes twice, columns are not the gallery's, or a value is not of its column's type.
        """
        _require_same("metadata", metadata, self.metadata.names)
        require_ids(ids)
        if len(set(ids)) < len(ids):
            double = next(product_id for product_id in ids if ids.count(product_id) > 1)
            raise ValueError(f"`ids` must differ, got {double!r} twice")
        columns = [pa.array(ids, pa.string())]
        columns += [to_column(field, metadata[field.name]) for field in self.metadata]
        fields = [pa.field(ID, pa.string(), nullable=False), *self.metadata]
        return pa.Table.from_arrays(columns, schema=pa.schema(fields))


def require_ids(ids: Sequence[str]) -> None:
    """Raise if something is not a list of ids.

    Args:
        ids (`Sequence[str]`): the ids to check.

    Raises:
        ValueError: it is one string, whose letters would be taken for ids, or not all of its items are strings that
            can be stored.
    """
    strange = [product_id for product_id in ids if not isinstance(product_id, str)]
    if isinstance(ids, str) or strange:
        came = ids if isinstance(ids, str) else strange[0]
        raise ValueError(f"`ids` must be a list of strings, got {came!r} ({type(came).__name__})")
    broken = [product_id for product_id in ids if not product_id.isascii() and _HALF.search(product_id)]
    if broken:
        raise ValueError(f"`ids` must be Unicode text, got {broken[0]!r}, which has half a character (a surrogate)")


def _kinds(schema: pa.Schema) -> dict[str, str]:
    return {field.name: str(field.type) for field in schema}


def _require_same(argument: str, given: Mapping[str, Any], wanted: Sequence[str]) -> None:
    if set(given) != set(wanted):
        raise ValueError(f"`{argument}` must have the keys {list(wanted)}, got {list(given)}")
