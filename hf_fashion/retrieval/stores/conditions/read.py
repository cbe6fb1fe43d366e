"""Reads a filter once, before any store sees it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pyarrow as pa

from . import mapping
from .columns import FilterColumns
from .tree import Condition


_SHOWN = 200  # characters of a filter in an error


def read_condition(filter: str | Mapping[str, Any], types: Mapping[str, pa.DataType]) -> Condition | None:
    """Read a filter and check it against the columns and their types.

    Args:
        filter (`str` or `Mapping[str, Any]`): a condition in SQL, or column -> what it must be.
        types (`Mapping[str, pyarrow.DataType]`): the columns that a filter may name, and their types.

    Returns:
        `Condition`: none where a mapping is empty.

    Raises:
        ValueError: it is not a filter, or does not suit the columns.
        ImportError: sqlglot, which reads SQL, is not installed.
    """
    read, supported = _reader(filter)
    try:
        return read(filter, FilterColumns(types))
    except ValueError as error:
        shown = repr(filter)
        shown = shown if len(shown) <= _SHOWN else f"{shown[:_SHOWN]}..."
        raise ValueError(f"`filter` cannot be applied to this gallery: {error}. {supported}. Got {shown}") from None


def _reader(filter: Any) -> tuple[Callable[..., Condition | None], str]:
    """Return the function that reads a filter, and the help of its form."""
    if isinstance(filter, Mapping):
        return mapping.condition_from_mapping, mapping.SUPPORTED
    if not isinstance(filter, str):
        raise ValueError(f"`filter` must be a condition in SQL or a mapping, got {type(filter).__name__}")
    try:
        from . import sql
    except ImportError as error:
        raise ImportError("a filter in SQL is read by sqlglot: pip install 'hf-fashion[gallery]'") from error
    return sql.condition_from_sql, sql.SUPPORTED
