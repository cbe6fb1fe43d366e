"""Make columns of metadata: a NaN is a missing value, and nothing is cut off or converted silently."""

from __future__ import annotations

import math
from collections.abc import Sequence
from numbers import Number
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as kinds

from .column_losses import find_loss, is_list


# What Arrow raises for a value that it does not take: also for -1 in a column of unsigned numbers, and for half a
# character in one of text.
_REFUSALS = (pa.ArrowException, TypeError, OverflowError, UnicodeEncodeError)


class MisfitError(ValueError):
    """A value that a metadata column cannot hold.

    Args:
        head (`str`): what the column holds.
        row (`int`): row of the value, from 0.
        what (`str`): the value, and what to do.
    """

    def __init__(self, head: str, row: int, what: str):
        super().__init__(f"{head}, row {row} {what}")
        self.row, self._head, self._what = row, head, what

    def at(self, place: str) -> ValueError:
        """Return the error with the row as its source names it.

        Args:
            place (`str`): such as `"a.csv, line 14 (id '13')"`.
        """
        return ValueError(f"{self._head}, {place} {self._what}")


def to_column(field: pa.Field, values: Sequence[Any]) -> pa.Array:
    """Make a metadata column of values. `None` and NaN are missing values, inside lists too.

    Args:
        field (`pyarrow.Field`): name and type of the column.
        values (`Sequence`): a value for each row.

    Raises:
        MisfitError: a value is of another type, would lose a part of it ([`find_loss`]), or is infinite.
    """
    try:
        column = pa.array(values, field.type, from_pandas=True)
    except _REFUSALS as error:
        head = f"`metadata[{field.name!r}]` must hold {field.type} or None, as it does in the gallery"
        row, what = _first_misfit(field, values)
        raise MisfitError(head, row, f"{what}: {error}. {_advice(field.type)}") from error
    _require_lossless(field, values)
    _require_finite(field, column)
    return column


def cleaned(field: pa.Field, column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return a column that was read from a file as [`to_column`] would have made it.

    Args:
        field (`pyarrow.Field`): name and type of the column.
        column (`pyarrow.ChunkedArray`): its values.

    Raises:
        ValueError: a value is infinite.
    """
    if not any(pc.any(pc.is_nan(numbers)).as_py() for numbers in _numbers(column)):
        _require_finite(field, column)
        return column
    return pa.chunked_array([to_column(field, column.to_pylist())])


def _first_misfit(field: pa.Field, values: Sequence[Any]) -> tuple[int, str]:
    """Row and value of the first one that is of another type, or of the cell that has made numbers text."""
    for row, value in enumerate(values):
        try:
            pa.array([value], field.type, from_pandas=True)
        except _REFUSALS:
            if not (isinstance(value, str) and (kinds.is_integer(field.type) or kinds.is_floating(field.type))):
                return row, f"is {value!r}"
            row = next((row for row, value in enumerate(values) if not _is_number(value)), row)
            return row, f"is the text {values[row]!r}. One cell that is no number makes a column of a feed text"
    return 0, f"is {values[0]!r}, and others are of other types"


def _advice(kind: pa.DataType) -> str:
    if kinds.is_null(kind):
        return (
            "The column was empty when the gallery was made, and can hold nothing: embed the catalogue into another "
            "gallery, with this column or without"
        )
    return f"Write it as {kind} in the catalogue, or embed the catalogue into another gallery"


def _is_number(value: Any) -> bool:
    try:
        return value is None or float(value) != math.inf  # a feed takes `nan` for an empty cell
    except (TypeError, ValueError):
        return False


def _require_finite(field: pa.Field, column: pa.Array | pa.ChunkedArray) -> None:
    if not any(pc.any(pc.is_inf(numbers)).as_py() for numbers in _numbers(column)):
        return
    row = next(row for row, value in enumerate(column) if any(map(_is_infinite, _leaves(value.as_py()))))
    raise MisfitError(
        f"`metadata[{field.name!r}]` must hold finite numbers of {field.type}",
        row,
        f"is {column[row]}: JSON and some stores have no infinite ones. Make it None",
    )


def _numbers(column: pa.Array | pa.ChunkedArray) -> list[pa.Array | pa.ChunkedArray]:
    """The floating point numbers of a column, those inside lists, structs and maps too."""
    kind = column.type
    if kinds.is_map(kind):
        return _numbers(column.cast(pa.list_(pa.struct([kind.key_field, kind.item_field]))))
    if is_list(kind):
        return _numbers(pc.list_flatten(column))
    if kinds.is_struct(kind):
        return [numbers for part in column.flatten() for numbers in _numbers(part)]
    if not kinds.is_floating(kind):
        return []
    return [column.cast(pa.float32()) if kinds.is_float16(kind) else column]  # Arrow checks no float16


def _leaves(value: Any) -> list[Any]:
    """A value, or those of its lists and dicts."""
    if isinstance(value, dict):
        value = list(value.values())
    return [leaf for one in value for leaf in _leaves(one)] if isinstance(value, (list, tuple)) else [value]


def _is_infinite(value: Any) -> bool:
    return isinstance(value, Number) and abs(value) == math.inf


def _require_lossless(field: pa.Field, values: Sequence[Any]) -> None:
    if kinds.is_floating(field.type) or kinds.is_boolean(field.type):  # they round, or Arrow refuses
        return
    for row, value in enumerate(values):
        if loss := find_loss(value, field.type):
            raise MisfitError(
                f"`metadata[{field.name!r}]` must hold {field.type} or None", row, f"is {value!r}, {loss}"
            )
