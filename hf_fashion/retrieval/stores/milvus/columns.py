"""Converts the columns of a gallery's table to fields of Milvus, and its rows both ways."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from types import ModuleType
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as kinds

from ...metadata_column import MisfitError
from ...schema import ID


MAX_BYTES = 65_535  # of a string
MAX_ITEMS = 4096  # of a list
_VECTORS = re.compile(r"vector_\d+")
_FIELD_TYPES = {
    pa.string(): "VARCHAR",
    pa.bool_(): "BOOL",
    pa.int32(): "INT64",
    pa.int64(): "INT64",
    pa.float64(): "DOUBLE",
}


class MilvusColumns:
    """A table's columns, and the field that keeps each. Names of fields have letters, digits and `_` only, so metadata
    columns are kept as `column_0`, `column_1`, ...; ids and vectors keep their names.

    Dates and timestamps are kept as whole numbers in their column's unit, and vectors as float32, which holds every
    float16: Milvus Lite has no float16.

    Args:
        schema (`pyarrow.Schema`): the table's.

    Raises:
        ValueError: Milvus cannot keep a column of such a type.
    """

    def __init__(self, schema: pa.Schema):
        self.schema = schema
        self.vectors = [name for name in schema.names if _VECTORS.fullmatch(name)]
        metadata = [name for name in schema.names if name not in (ID, *self.vectors)]
        self.metadata = {name: schema.field(name).type for name in metadata}
        self.fields = {name: name for name in (ID, *self.vectors)}
        self.fields |= {name: f"column_{number}" for number, name in enumerate(metadata)}
        self._stored = {name: _stored(kind) for name, kind in self.metadata.items()}
        for name, kind in self.metadata.items():
            if self._stored[name] is None:
                raise ValueError(
                    f"Milvus cannot keep the metadata column {name!r} of type {kind}: it keeps strings, booleans, "
                    "whole numbers of at most 64 bits with a sign, floating point numbers, dates, timestamps, and "
                    "lists of those. Convert the column or leave it out"
                )

    def milvus_schema(self, pymilvus: ModuleType) -> Any:
        """Return the fields as pymilvus's schema.

        Args:
            pymilvus (`ModuleType`): the package.
        """
        types = pymilvus.DataType
        schema = pymilvus.MilvusClient.create_schema(auto_id=False, enable_dynamic_field=False)
        schema.add_field(ID, types.VARCHAR, is_primary=True, max_length=MAX_BYTES)
        for name, kind in self._stored.items():
            options = {"max_length": MAX_BYTES, "nullable": True}
            field_type = types.ARRAY if kinds.is_list(kind) else types[_FIELD_TYPES[kind]]
            if kinds.is_list(kind):
                options |= {"element_type": types[_FIELD_TYPES[kind.value_type]], "max_capacity": MAX_ITEMS}
            schema.add_field(self.fields[name], field_type, **options)
        for name in self.vectors:
            schema.add_field(name, types.FLOAT_VECTOR, dim=self.schema.field(name).type.list_size)
        return schema

    def check(self, rows: pa.Table) -> None:
        """Raise if Milvus cannot keep some values.

        Args:
            rows (`pyarrow.Table`): `id` and metadata columns of the table.

        Raises:
            MisfitError: a text or list is too long, or a list has a missing value.
        """
        for name in rows.column_names:
            _require_kept(rows[name].combine_chunks().cast(self._stored.get(name, pa.string())), name)

    def to_milvus(self, rows: pa.Table) -> list[dict[str, Any]]:
        """Return rows as pymilvus takes them.

        Args:
            rows (`pyarrow.Table`): rows of the table, at least one.

        Raises:
            MisfitError: Milvus cannot keep a value.
        """
        rows = rows.combine_chunks()
        self.check(rows.select([ID, *self._stored]))
        values = {ID: rows[ID].to_pylist()}
        values |= {self.fields[name]: rows[name].cast(kind).to_pylist() for name, kind in self._stored.items()}
        for name in self.vectors:
            values[name] = rows[name].chunk(0).flatten().to_numpy().astype(np.float32).reshape(len(rows), -1)
        return [dict(zip(values, row, strict=True)) for row in zip(*values.values(), strict=True)]

    def to_arrow(self, rows: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> pa.Table:
        """Return pymilvus's rows as a table.

        Args:
            rows (`Sequence[Mapping[str, Any]]`): pymilvus's rows.
            columns (`Sequence[str]`): which columns; their fields are in the rows.
        """
        values = [self._column(name, [row[self.fields[name]] for row in rows]) for name in columns]
        return pa.Table.from_arrays(values, schema=pa.schema([self.schema.field(name) for name in columns]))

    def row_bytes(self, columns: Sequence[str]) -> int:
        """Return about how many bytes of these columns a row has in a message.

        Args:
            columns (`Sequence[str]`): their names.
        """
        return sum(4 * self.schema.field(name).type.list_size if name in self.vectors else 1000 for name in columns)

    def _column(self, name: str, values: Sequence[Any]) -> pa.Array:
        kind = self.schema.field(name).type
        if name in self.vectors:
            flat = np.asarray(values, np.float32).astype(np.float16).reshape(-1)
            return pa.FixedSizeListArray.from_arrays(pa.array(flat), kind.list_size)
        return pa.array(values, self._stored.get(name, pa.string())).cast(kind)


def _stored(kind: pa.DataType) -> pa.DataType | None:
    """The type in which Milvus keeps values of `kind`; none where it cannot keep them."""
    if kinds.is_list(kind) or kinds.is_large_list(kind) or kinds.is_fixed_size_list(kind):
        items = None if kinds.is_nested(kind.value_type) else _stored(kind.value_type)
        return items and pa.list_(items)
    if kinds.is_string(kind) or kinds.is_large_string(kind):
        return pa.string()
    if kinds.is_boolean(kind):
        return pa.bool_()
    if kinds.is_floating(kind):
        return pa.float64()
    if kinds.is_date32(kind):
        return pa.int32()  # Arrow casts nothing wider to dates
    whole = kinds.is_timestamp(kind) or kinds.is_date64(kind) or (kinds.is_integer(kind) and kind != pa.uint64())
    return pa.int64() if whole else None


def _require_kept(column: pa.Array, name: str) -> None:
    """Raises where Milvus would not keep the values as they are."""
    items, rows = column, None
    if kinds.is_list(column.type):
        _require_short(name, pc.list_value_length(column), MAX_ITEMS, "items a list")
        items, rows = pc.list_flatten(column), pc.list_parent_indices(column)
        if items.null_count:
            row = rows[pc.index(items.is_null(), True).as_py()].as_py()
            raise MisfitError(f"Milvus keeps no missing values in lists in column {name!r}", row, "has one. Omit them")
    if kinds.is_string(items.type):
        _require_short(name, pc.binary_length(items), MAX_BYTES, "bytes a string", rows)


def _require_short(name: str, sizes: pa.Array, limit: int, what: str, rows: pa.Array | None = None) -> None:
    """`rows` are those of the sizes, where a row may have several."""
    place = pc.index(pc.greater(sizes, limit), True).as_py()
    if place >= 0:
        row = place if rows is None else rows[place].as_py()
        head = f"Milvus keeps at most {limit:,} {what} in column {name!r}"
        raise MisfitError(head, row, f"has {sizes[place].as_py():,}. Shorten it")
