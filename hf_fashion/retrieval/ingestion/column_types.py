"""Decides the types of a gallery's metadata columns, and which values of a later catalogue they take."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa
import pyarrow.types as kinds

from ..stores.conditions.values import is_text


def require_distinct_names(names: Sequence[str]) -> None:
    """Raise if something is not a list of different names of columns.

    Args:
        names (`Sequence[str]`): the metadata columns.

    Raises:
        ValueError: it is one string, whose letters would be taken for names, or a name comes twice.
    """
    if isinstance(names, str):
        raise ValueError(f"`metadata_columns` must be a list of names, got the text {names!r}: write [{names!r}]")
    twice = sorted({name for name in names if list(names).count(name) > 1})
    if twice:
        raise ValueError(f"`metadata_columns` must name each column once, got {', '.join(map(repr, twice))} again")


def require_known_types(schema: pa.Schema) -> None:
    """Raise if the type of a metadata column is not known: a gallery would take no value for it, ever.

    Args:
        schema (`pyarrow.Schema`): the metadata columns of a gallery that is to be made.

    Raises:
        ValueError: all cells of a column are empty.
    """
    unknown = [field.name for field in schema if kinds.is_null(_inner(field.type))]
    if unknown:
        raise ValueError(
            f"`metadata_columns`: all cells of {', '.join(map(repr, unknown))} are empty, so that their type is not "
            "known, and the gallery could never take a value. Leave them out, fill at least one cell, or give the "
            f"type: dataset.cast_column({unknown[0]!r}, Value('string'))"
        )


def adopted_type(here: pa.DataType, stored: pa.DataType) -> pa.DataType:
    """Return the type that a column of a catalogue is read as, for a gallery that has it already.

    Columns of feeds change their type by the day: one of sizes is numbers when all of today's are, one of prices is
    whole when all of them are, and one without any value has no type. Programs that write them choose other offsets of
    texts and narrower numbers.

    Args:
        here (`pyarrow.DataType`): the catalogue's type.
        stored (`pyarrow.DataType`): the gallery's.

    Returns:
        `pyarrow.DataType`: the gallery's, where it can hold every value of the catalogue's type; else the catalogue's.
    """
    if kinds.is_list(here) != kinds.is_list(stored) and not kinds.is_null(here):
        return here
    return stored if _holds(_inner(stored), _inner(here)) else here


def _holds(stored: pa.DataType, here: pa.DataType) -> bool:
    """Whether every value of the one type is a value of the other too, numbers as text included."""
    if kinds.is_null(here):
        return True
    if is_text(stored):
        return is_text(here) or kinds.is_integer(here) or kinds.is_floating(here) or kinds.is_decimal(here)
    if kinds.is_floating(stored) and kinds.is_floating(here):
        return here.bit_width <= stored.bit_width
    if kinds.is_integer(stored) and kinds.is_integer(here):
        signs = kinds.is_signed_integer(stored), kinds.is_signed_integer(here)
        return signs[0] >= signs[1] and here.bit_width + (signs[0] != signs[1]) <= stored.bit_width
    return kinds.is_floating(stored) and kinds.is_integer(here)


def holds_text(kind: pa.DataType) -> bool:
    """Return whether a column holds text, or lists of it.

    Args:
        kind (`pyarrow.DataType`): the column's type.
    """
    return is_text(_inner(kind))


def _inner(kind: pa.DataType) -> pa.DataType:
    return kind.value_type if kinds.is_list(kind) else kind
