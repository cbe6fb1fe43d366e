"""Choose the notes on bias that a model's training data call for."""

from collections.abc import Iterator

from .facts import CorpusFacts


# A word in the name of a tag, an attribute or its column -> what a model learns from it.
_NOTES = {
    "gender": "It learned from a column of gender. Such a column is the shop's department, not a person: a search "
    "that is filtered or ranked by it hides clothes from people, and must not be used to guess anybody's gender.",
    "brand": "It learned to tell brands apart, by logos and labels too. It finds the brands that it has seen more "
    "often better than others, and it is no test of whether a product is genuine.",
    "price": "It learned from prices, which follow brands and markets and not what a product is worth.",
    "season": "It learned from seasons, which are those of the shop's country and of the years of the catalogue.",
    "size": "It learned from sizes, which differ between regions and brands, and say nothing about a body on a photo.",
    "skin": "It learned from a column on skin. Do not use it to describe or to sort people.",
    "country": "It learned from regions: clothes of those that are rare in the catalogue are found worse.",
}
_NOTES["region"] = _NOTES["country"]


def bias_notes(corpus: CorpusFacts | None) -> list[str]:
    """Return the notes that the columns of a corpus call for.

    Args:
        corpus (`CorpusFacts`, *optional*): what a model learned from.
    """
    names = list(_names(corpus)) if corpus else []
    notes = (note for word, note in _NOTES.items() if any(word in name for name in names))
    return list(dict.fromkeys(notes))


def _names(corpus: CorpusFacts) -> Iterator[str]:
    for part in ("tags", "attributes"):
        for name, column in corpus.columns.get(part, {}).items():
            yield from (name.lower(), column.lower())
