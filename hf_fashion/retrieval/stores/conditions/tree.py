"""Defines the tree of a filter: the conditions that a product must meet to be found.

There is no NOT in it: [`opposite`] negates a condition by negating its leaves. A leaf, except [`IsNull`], is met only
by a product that has a value in its column. So every store answers missing values as SQL does: they meet neither a
condition nor its opposite.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal


# Of a column's own type: a `date` for columns of dates, a `datetime` in UTC for columns of timestamps.
Value = str | bool | int | float | Decimal | date | datetime
_OPPOSITE_SIGNS = {"=": "!=", "!=": "=", "<": ">=", ">=": "<", ">": "<=", "<=": ">"}


@dataclass(frozen=True)
class Comparison:
    """Compare a column with a value, as `price < 50` does.

    Args:
        column (`str`): the column's name.
        sign (`str`): `"="`, `"!="`, `"<"`, `"<="`, `">"` or `">="`.
        value (`Value`): what it is compared with.
    """

    column: str
    sign: str
    value: Value


@dataclass(frozen=True)
class OneOf:
    """Look a column's value up among several, as `brand IN ('Acme', 'Lumaro')` does.

    Args:
        column (`str`): the column's name.
        values (`tuple[Value, ...]`): the values. None are met by no product, and negated by all that have a value.
        negated (`bool`, *optional*, defaults to `False`): whether it must be none of them.
    """

    column: str
    values: tuple[Value, ...]
    negated: bool = False


@dataclass(frozen=True)
class Like:
    """Match a text with a pattern, as `brand LIKE 'Lum%'` does.

    Args:
        column (`str`): the column's name.
        pattern (`str`): `%` is any text and `_` any character; one of them is in it.
        negated (`bool`, *optional*, defaults to `False`): whether it must not match.
    """

    column: str
    pattern: str
    negated: bool = False


@dataclass(frozen=True)
class ArrayHasAny:
    """Look for values in a list, as `array_has(sizes, 'M')` does.

    Args:
        column (`str`): the name of a column of lists.
        values (`tuple[Value, ...]`): one of them is enough. None are met as in [`OneOf`].
        negated (`bool`, *optional*, defaults to `False`): whether none of them may be in the list.
    """

    column: str
    values: tuple[Value, ...]
    negated: bool = False


@dataclass(frozen=True)
class IsNull:
    """Ask whether a value is missing, as `brand IS NULL` does.

    Args:
        column (`str`): the column's name.
        negated (`bool`, *optional*, defaults to `False`): whether there must be a value.
    """

    column: str
    negated: bool = False


@dataclass(frozen=True)
class And:
    """Require several conditions.

    Args:
        parts (`tuple[Condition, ...]`): the conditions, at least one.
    """

    parts: tuple[Condition, ...]


@dataclass(frozen=True)
class Or:
    """Require one of several conditions.

    Args:
        parts (`tuple[Condition, ...]`): the conditions, at least one.
    """

    parts: tuple[Condition, ...]


Condition = Comparison | OneOf | Like | ArrayHasAny | IsNull | And | Or


def opposite(condition: Condition) -> Condition:
    """Return NOT of a condition.

    Args:
        condition (`Condition`): any.
    """
    match condition:
        case And(parts):
            return Or(tuple(map(opposite, parts)))
        case Or(parts):
            return And(tuple(map(opposite, parts)))
        case Comparison():
            return replace(condition, sign=_OPPOSITE_SIGNS[condition.sign])
        case _:
            return replace(condition, negated=not condition.negated)
