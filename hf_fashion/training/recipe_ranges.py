"""Ranges of the numbers of a recipe, written next to each field and checked before a run starts."""

import math
from dataclasses import Field, dataclass
from typing import Any


RANGE = "range"


@dataclass(frozen=True)
class Range:
    """The numbers that a field may have; all of them are finite.

    Args:
        at_least (`float`, *optional*): smallest number.
        above (`float`, *optional*): largest number that is too small.
        at_most (`float`, *optional*): largest number.
        below (`float`, *optional*): smallest number that is too large.
    """

    at_least: float | None = None
    above: float | None = None
    at_most: float | None = None
    below: float | None = None

    def __contains__(self, number: float) -> bool:
        return (
            math.isfinite(number)
            and (self.at_least is None or number >= self.at_least)
            and (self.above is None or number > self.above)
            and (self.at_most is None or number <= self.at_most)
            and (self.below is None or number < self.below)
        )

    def __str__(self) -> str:
        limits = {name.replace("_", " "): limit for name, limit in vars(self).items() if limit is not None}
        return " and ".join(f"{name} {limit}" for name, limit in limits.items())


def in_range(**limits: float) -> dict[str, Range]:
    """Return the metadata of a dataclass field whose numbers must be in a range: itself, or those of its list or dict.

    Args:
        **limits (`float`): of [`Range`].
    """
    return {RANGE: Range(**limits)}


def check_range(entry: Field, value: Any, where: str) -> None:
    """Raise `ValueError`, naming the key, if a number of a field is out of its range.

    Args:
        entry (`Field`): the field.
        value (`Any`): its value: a number, a list or a dict of numbers, or `None`.
        where (`str`): the key, for the message.
    """
    if RANGE not in entry.metadata or value is None:
        return
    if isinstance(value, dict):
        for key, number in value.items():
            check_range(entry, number, f"{where}.{key}")
    elif isinstance(value, list):
        for place, number in enumerate(value):
            check_range(entry, number, f"{where}[{place}]")
    elif value not in entry.metadata[RANGE]:
        raise ValueError(f"{where} must be {entry.metadata[RANGE]}; got {value}.")
