"""Make columns of metadata: a NaN is a missing value, and nothing is cut off or converted silently."""

from __future__ import annotations

import math
from collections.abc import Sequence
from numbers import Integral, Number
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as kinds


def to_column(field: pa.Field, values: Sequence[Any]) -> pa.Array:
    """Make a metadata column of values. `None` and NaN are missing values, inside lists too.

    Args:
        field (`pyarrow.Field`): name and type of the column.
        values (`Sequence`): a value for each row.

    Raises:
        ValueError: a value is of another type, would lose its fraction, or is infinite.
    """
    try:
        column = pa.array(values, field.type, from_pandas=True)
    except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
        raise ValueError(
            f"`metadata[{field.name!r}]` must hold {field.type} or None, as it does in the gallery; "
            f"{_first_misfit(field, values)}: {error}"
        ) from error
    _require_whole(field, values)
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
    numbers = _numbers(column)
    if numbers is None or not pc.any(pc.is_nan(numbers)).as_py():
        _require_finite(field, column)
        return column
    return pa.chunked_array([to_column(field, column.to_pylist())])


def _first_misfit(field: pa.Field, values: Sequence[Any]) -> str:
    """Row and value of the first one that is of another type, or of the cell that has made numbers text."""
    for row, value in enumerate(values):
        try:
            pa.array([value], field.type, from_pandas=True)
        except (pa.ArrowInvalid, pa.ArrowTypeError):
            if not (isinstance(value, str) and (kinds.is_integer(field.type) or kinds.is_floating(field.type))):
                return f"row {row} is {value!r}"
            row = next((row for row, value in enumerate(values) if not _is_number(value)), row)
            return f"row {row} is the text {values[row]!r}. One cell that is no number makes a column of a feed text"
    return "these values are of several types"


def _is_number(value: Any) -> bool:
    try:
        return value is None or float(value) != math.inf  # a feed takes `nan` for an empty cell
    except (TypeError, ValueError):
        return False


def _require_finite(field: pa.Field, column: pa.Array | pa.ChunkedArray) -> None:
    numbers = _numbers(column)
    if numbers is None or not pc.any(pc.is_inf(numbers)).as_py():
        return
    row = next(row for row, value in enumerate(column) if math.inf in map(abs, _leaves(value.as_py())))
    raise ValueError(
        f"`metadata[{field.name!r}]` must hold finite numbers of {field.type}, row {row} is {column[row]}: JSON and "
        "some stores have no infinite ones. Make it None"
    )


def _numbers(column: pa.Array | pa.ChunkedArray) -> pa.Array | pa.ChunkedArray | None:
    """The floating point numbers of a column, those inside lists too; none where it is of another type."""
    while _is_list(column.type):
        column = pc.list_flatten(column)
    if not kinds.is_floating(column.type):
        return None
    return column.cast(pa.float32()) if kinds.is_float16(column.type) else column  # Arrow checks no float16


def _leaves(value: Any) -> list[Any]:
    """A value that is there, or those of its lists."""
    if isinstance(value, (list, tuple, set, np.ndarray)):
        return [leaf for one in value for leaf in _leaves(one)]
    return [] if value is None else [value]


def _is_list(kind: pa.DataType) -> bool:
    return kinds.is_list(kind) or kinds.is_large_list(kind) or kinds.is_fixed_size_list(kind)


def _require_whole(field: pa.Field, values: Sequence[Any]) -> None:
    """Raises where Arrow has cut off the fraction of a number."""
    kind = field.type
    while _is_list(kind):
        kind = kind.value_type
    if not (kinds.is_integer(kind) or kinds.is_temporal(kind)):
        return
    for row, value in enumerate(values):
        if any(_has_fraction(one) for one in _leaves(value)):
            raise ValueError(
                f"`metadata[{field.name!r}]` must hold {field.type} or None, row {row} is {value!r}, whose fraction "
                "would be lost. Round it, or make the gallery again from a column of floats: in a feed, one number "
                "with a point (49.00) makes it so"
            )


def _has_fraction(value: Any) -> bool:
    return isinstance(value, Number) and not isinstance(value, Integral) and value == value and bool(value % 1)
