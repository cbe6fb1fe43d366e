"""The checked tree of a filter, which each database compiles.

A row is found if the condition is true in SQL's sense: a missing value makes a comparison unknown, and a row whose
condition is unknown is not found. The tree has no NOT: reading a filter moves it inwards, down to comparisons, because
databases differ in what NOT makes of missing values.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


SIGNS = ("=", "!=", "<", "<=", ">", ">=")
OPPOSITE = {"=": "!=", "!=": "=", "<": ">=", ">=": "<", ">": "<=", "<=": ">"}


@dataclass(frozen=True)
class Comparison:
    """A column compared with a value that is not missing; unknown where the column's is.

    Args:
        column (`str`): the column.
        sign (`str`): one of `SIGNS`.
        value (`Any`): of the column's type: `str`, `bool`, `int`, `float`, or a `datetime` with its zone.
    """

    column: str
    sign: str
    value: Any


@dataclass(frozen=True)
class Among:
    """Whether a column has one of some values; unknown where its own is missing.

    Args:
        column (`str`): the column.
        values (`tuple`): at least one, as in [`Comparison`], all different.
        negated (`bool`): whether it is NOT IN.
    """

    column: str
    values: tuple[Any, ...]
    negated: bool = False


@dataclass(frozen=True)
class Like:
    """Whether a text matches a pattern of `%` (any text) and `_` (any letter).

    Args:
        column (`str`): the column, of text.
        pattern (`str`): with at least one `%` or `_`.
        negated (`bool`): whether it is NOT LIKE.
    """

    column: str
    pattern: str
    negated: bool = False


@dataclass(frozen=True)
class Missing:
    """Whether a value is missing; never unknown.

    Args:
        column (`str`): the column.
        negated (`bool`): whether it is IS NOT NULL.
    """

    column: str
    negated: bool = False


@dataclass(frozen=True)
class Contains:
    """Whether a list contains a value; unknown where the list is missing.

    Args:
        column (`str`): the column, of lists.
        value (`Any`): as in [`Comparison`].
        negated (`bool`): whether it must not contain it.
    """

    column: str
    value: Any
    negated: bool = False


@dataclass(frozen=True)
class Every:
    """AND.

    Args:
        parts (`tuple[Condition, ...]`): two or more.
    """

    parts: tuple[Condition, ...]


@dataclass(frozen=True)
class Either:
    """OR.

    Args:
        parts (`tuple[Condition, ...]`): two or more.
    """

    parts: tuple[Condition, ...]


Condition = Comparison | Among | Like | Missing | Contains | Every | Either


def joined(parts: list[Condition], every: bool) -> Condition:
    """Join conditions by AND or OR; one condition stays as it is.

    Args:
        parts (`list[Condition]`): at least one.
        every (`bool`): whether all of them must be true, or one.
    """
    if len(parts) == 1:
        return parts[0]
    return Every(tuple(parts)) if every else Either(tuple(parts))
