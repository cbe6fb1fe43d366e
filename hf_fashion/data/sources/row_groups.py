"""Group what is written to a parquet file together, so that few photos are in memory at a time."""

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar


T = TypeVar("T")

# A group is in memory several times while it is written.
BYTES_PER_GROUP = 64 << 20


def row_groups(parts: Iterable[T], size: Callable[[T], int], most: int | None = None) -> Iterator[list[T]]:
    """Yield parts that are written together: until they have `BYTES_PER_GROUP`.

    Args:
        parts (`Iterable[T]`): rows, or tables of some; they are read a group at a time.
        size (`Callable[[T], int]`): bytes of a part in memory.
        most (`int`, *optional*): the most parts of a group. Default: as many as have the bytes.
    """
    group, held = [], 0
    for part in parts:
        group.append(part)
        held += size(part)
        if held >= BYTES_PER_GROUP or len(group) == most:
            yield group
            group, held = [], 0
    if group:
        yield group
