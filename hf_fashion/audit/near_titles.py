"""Find titles that several products share, and titles that differ only in how they are written."""

from collections import defaultdict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

from ..data.values import title_as_read
from .wording import title_key


@dataclass(frozen=True)
class TitleGroup:
    """
    Rows of different owners whose titles have the same words.

    Args:
        titles (`tuple[str, ...]`): the spellings, the most frequent first; case and white space make no other one.
        rows (`tuple[int, ...]`): at least two, in ascending order.
    """

    titles: tuple[str, ...]
    rows: tuple[int, ...]


def near_titles(titles: Sequence[str | None], owners: Sequence[Hashable]) -> list[TitleGroup]:
    """Return groups of products with the same words in their titles, the most rows first.

    Letter case, accents, punctuation, plural and the order of words do not count.

    Args:
        titles (`Sequence[str | None]`): of each row.
        owners (`Sequence[Hashable]`): of each row, equal where titles may be the same.
    """
    rows = defaultdict(list)
    for row, title in enumerate(titles):
        if key := title and title_key(title):
            rows[key].append(row)
    several = [found for found in rows.values() if len({owners[row] for row in found}) > 1]
    groups = [TitleGroup(_spellings([titles[row] for row in found]), tuple(found)) for found in several]
    return sorted(groups, key=lambda group: -len(group.rows))


def _spellings(titles: Sequence[str]) -> tuple[str, ...]:
    found = defaultdict(list)
    for title in titles:
        found[title_as_read(title)].append(title)
    return tuple(spelled[0] for spelled in sorted(found.values(), key=lambda spelled: -len(spelled)))
