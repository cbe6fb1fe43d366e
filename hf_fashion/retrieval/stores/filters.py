"""Read a filter, SQL text or a dict, as the checked tree that each database compiles."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from .condition_dict import condition_of_dict
from .conditions import Condition, Either, Every


# The parsers of databases overflow on some thousands of conditions.
MAX_COMPARISONS = 500
MAX_DEPTH = 20

SUPPORTED = (
    "A filter compares columns with values: =, !=, <>, <, <=, >, >=, [NOT] IN, [NOT] BETWEEN, [NOT] LIKE, "
    "IS [NOT] NULL, IS [NOT] TRUE or FALSE, array_has(column, value), joined by AND, OR, NOT and parentheses. Values "
    "are 'text', numbers, true, false, date '...' and timestamp '...'"
)


def read_condition(filter: str | Mapping[str, Any] | None, columns: Mapping[str, pa.DataType]) -> Condition | None:
    """Read a filter and check it against the columns.

    Args:
        filter (`str` or `Mapping`, *optional*): a condition in SQL, or a dict of columns and what they must be:
            `{"brand": ["Acme", "Lumaro"], "price": {"<": 50}, "season": None}`.
        columns (`Mapping[str, pyarrow.DataType]`): name and type of each column.

    Returns:
        `Condition`: the tree; `None` without a filter.

    Raises:
        ValueError: the filter is neither, names an unknown column, compares a column with a value of another type, has
            text behind the condition, or is larger than the bounds above.
    """
    if filter is None:
        return None
    if not isinstance(filter, (str, Mapping)):
        raise ValueError(f"`filter` must be SQL text or a dict, got {type(filter).__name__}")
    try:
        return require_bounded(_read(filter, columns))
    except ValueError as error:
        shown = repr(filter)
        shown = shown if len(shown) <= 300 else f"{shown[:300]}..."
        raise ValueError(f"`filter` is not a condition on this gallery: {shown} ({error}). {SUPPORTED}") from None


def _read(filter: str | Mapping[str, Any], columns: Mapping[str, pa.DataType]) -> Condition:
    if not isinstance(filter, str):
        return condition_of_dict(filter, columns)
    try:
        from .condition_sql import condition_of_sql
    except ImportError as error:
        raise ImportError("a filter in SQL is read by sqlglot: pip install 'hf-fashion[gallery]'") from error
    return condition_of_sql(filter, columns)


def require_bounded(condition: Condition) -> Condition:
    """Return the condition if it has at most `MAX_COMPARISONS` comparisons and `MAX_DEPTH` levels.

    Args:
        condition (`Condition`): a tree.

    Raises:
        ValueError: it has more.
    """
    waiting, number = [(condition, 0)], 0
    while waiting:
        part, depth = waiting.pop()
        if depth > MAX_DEPTH:
            raise ValueError(f"it is nested more than {MAX_DEPTH} levels deep")
        if isinstance(part, (Every, Either)):
            waiting += [(inner, depth + 1) for inner in part.parts]
        else:
            number += 1
    if number > MAX_COMPARISONS:
        raise ValueError(f"it has {number:,} comparisons, at most {MAX_COMPARISONS:,} are allowed: use IN for values")
    return condition
