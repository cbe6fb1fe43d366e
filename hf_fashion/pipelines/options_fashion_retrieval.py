"""Options of a search, given with a call or with one query: their names and types."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from numbers import Integral, Real
from typing import Any

from ..embedding.changes.photo_changes import check_way
from ..messages import did_you_mean, shown


# Name of each option -> its types, and these in words. Whether the gallery has them is checked elsewhere.
OPTIONS: dict[str, tuple[Any, str]] = {
    "top_k": (Integral, "a whole number"),
    "filter": ((str, Mapping), "a condition in SQL or a dict"),
    "threshold": (Real, "a number"),
    "group_by": (str, "the name of a metadata column"),
    "num_candidates": (Integral, "a whole number"),
    "late_interaction": (Real, "a number"),
    "change_by": (str, "a string"),
}


def given(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options that are not `None`.

    Args:
        options (`Mapping`): options.
    """
    return {name: value for name, value in options.items() if value is not None}


def split_options(query: Any) -> tuple[Any, dict[str, Any]]:
    """Split a query into what is searched for and its own options.

    Args:
        query (`Any`): a query of any form; only a dict has options.
    """
    if not isinstance(query, Mapping):
        return query, {}
    options = {name: value for name, value in query.items() if name in OPTIONS}
    return {name: value for name, value in query.items() if name not in OPTIONS}, options


def check_names(names: Iterable[str]) -> None:
    """Raise if there is no option of a name.

    Args:
        names (`Iterable[str]`): names of options.

    Raises:
        TypeError: as Python raises for an argument that a function does not have.
    """
    for name in names:
        if name not in OPTIONS:
            raise TypeError(
                f"the pipeline has no option `{name}`{did_you_mean(name, OPTIONS)}: its options are attribute, "
                f"entity, {', '.join(OPTIONS)}"
            )


def check_types(options: Mapping[str, Any]) -> None:
    """Raise if an option is of another type or out of range.

    Args:
        options (`Mapping`): options that are given.

    Raises:
        ValueError: the option, with what it must be and what came, a weight is not from 0 to 1, or there
            is no such way.
    """
    for name, value in options.items():
        types, words = OPTIONS[name]
        if not isinstance(value, types) or isinstance(value, bool) or (name == "threshold" and math.isnan(value)):
            raise ValueError(f"`{name}` must be {words}, got {shown(value)}")
    if "change_by" in options:
        check_way(options["change_by"])
    weight = options.get("late_interaction", 0)
    if not 0 <= weight <= 1:  # NaN is neither
        raise ValueError(f"`late_interaction`, the weight of the best region, must be from 0 to 1, got {weight}")
