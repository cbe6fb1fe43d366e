"""Make queries of a photo and a change from the tags of a catalogue: the target differs in one tag only."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ...embedding.changes.change_words import has_word


logger = logging.getLogger(__name__)

COLOURS = ("colour", "color", "base_colour", "base_color")


@dataclass(frozen=True)
class ChangeTriple:
    """A query of a photo and a change, and the products to find.

    Args:
        row (`int`): the product whose photo is given.
        value (`str`): the asked value of the entity that changes.
        words (`str`): the change in words, such as `"in Red"`.
        targets (`tuple[int, ...]`): rows with this value, and every other tag as the photo's.
    """

    row: int
    value: str
    words: str
    targets: tuple[int, ...]


def change_triples(tags: Mapping[str, Sequence[str | None]], entity: str) -> list[ChangeTriple]:
    """Return all queries that change one entity: a product, and a value that a product has which is else alike.

    Values without a word, such as "-", are not asked for; a warning names them.

    Args:
        tags (`Mapping[str, Sequence[str | None]]`): tag entity -> its value in each row. Rows without a tag are left
            out.
        entity (`str`): the one that changes.
    """
    unread = sorted({value for value in tags[entity] if value and not has_word(value)})
    if unread:
        logger.warning("No query asks for these values of %r, which have no word: %s", entity, ", ".join(unread))
    alike: dict[tuple, dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
    others = [name for name in tags if name != entity]
    for row, value in enumerate(tags[entity]):
        rest = tuple(tags[name][row] for name in others)
        if value and all(rest):
            alike[rest][value].append(row)
    return [
        ChangeTriple(row, asked, change_in_words(entity, asked), tuple(targets))
        for by_value in alike.values()
        for value, rows in by_value.items()
        for asked, targets in by_value.items()
        if asked != value and asked not in unread
        for row in rows
    ]


def change_in_words(entity: str, value: str) -> str:
    """Return `"in Red"` for a colour, `"but Puma"` for a value of another entity.

    Args:
        entity (`str`): tag entity.
        value (`str`): the new value.
    """
    return f"in {value}" if entity in COLOURS else f"but {value}"
