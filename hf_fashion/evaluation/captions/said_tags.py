"""Whether captions name the right values of a product's tags: its colour, its type, its brand."""

from collections.abc import Mapping, Sequence

from ...embedding.changes.change_words import WORD, ChangeReader


def said_values(caption: str, reader: ChangeReader) -> set[str]:
    """Return the known values that a caption names, in whole words; letter case, plural and hyphens do not count.

    Args:
        caption (`str`): a caption.
        reader ([`ChangeReader`]): knows the values of one tag.
    """
    words, found, place = WORD.findall(caption.casefold()), set(), 0
    while place < len(words):
        length, value = reader.value_at_start(words[place:])
        if value is not None:
            found.add(value[1])
        place += max(length, 1)
    return found


def said_tag_accuracy(
    captions: Sequence[str], tags: Mapping[str, Sequence[str | None]]
) -> dict[str, float | int | None]:
    """Return how many captions name the right value of each tag.

    Args:
        captions (`Sequence[str]`): N captions.
        tags (`Mapping[str, Sequence[str | None]]`): entity -> N true values, `None` where one is missing.

    Returns:
        `dict`: for each entity `_accuracy`, the share of captions that name the right value; `_named`, the share that
        name any value; `_precision`, the share of these that name the right one, `None` where no caption names one;
        and `_num_captions`, those whose product has the tag.
    """
    results: dict[str, float | int | None] = {}
    for entity, values in tags.items():
        reader = ChangeReader({entity: sorted({value for value in values if value})})
        canonical = {value: next(iter(said_values(value, reader)), value) for value in values if value}
        said = [
            (said_values(caption, reader), value) for caption, value in zip(captions, values, strict=True) if value
        ]
        right = sum(canonical[value] in names for names, value in said)
        named = sum(bool(names) for names, _ in said)
        results |= {
            f"{entity}_accuracy": right / len(said) if said else None,
            f"{entity}_named": named / len(said) if said else None,
            f"{entity}_precision": right / named if named else None,
            f"{entity}_num_captions": len(said),
        }
    return results
