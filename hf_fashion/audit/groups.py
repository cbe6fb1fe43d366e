"""Join pairs to groups: rows that are connected, directly or by way of others."""

from collections.abc import Iterable


def connected(number: int, pairs: Iterable[tuple[int, int]]) -> list[list[int]]:
    """Return the groups of at least two numbers that pairs connect, each in ascending order.

    Args:
        number (`int`): the numbers are from 0 up to it.
        pairs (`Iterable[tuple[int, int]]`): pairs of numbers.
    """
    parents = list(range(number))
    for one, other in pairs:
        first, second = _root(parents, one), _root(parents, other)
        parents[max(first, second)] = min(first, second)
    groups: dict[int, list[int]] = {}
    for place in range(number):
        groups.setdefault(_root(parents, place), []).append(place)
    return [group for group in groups.values() if len(group) > 1]


def _root(parents: list[int], place: int) -> int:
    while (parent := parents[place]) != place:
        parents[place] = parents[parent]  # halves the way for the next call
        place = parent
    return place
