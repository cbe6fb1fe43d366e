"""Draw the attributes of a generated product, and assign it to a split."""

import hashlib
from dataclasses import dataclass

import numpy as np

from .vocabulary import ARTICLE_TYPES, BRANDS, COLOURS, PATTERNS, SEASONS


SPLITS = ("train", "validation")
VALIDATION_SHARE = 0.2


@dataclass(frozen=True)
class Look:
    """Attributes of one product, in words of the vocabulary; `None` if its type has no such part."""

    article_type: str
    colour: str
    pattern: str
    brand: str
    season: str
    sleeve: str | None
    neckline: str | None
    hem: str
    place: str

    def split(self) -> str:
        """
        Return the split of all products of this type, colour, pattern and brand.

        Every caption names those four, so no caption is in both splits, and validation has combinations that training
        does not have.
        """
        key = "/".join((self.article_type, self.colour, self.pattern, self.brand))
        share = hashlib.blake2b(key.encode(), digest_size=4).digest()
        return SPLITS[int.from_bytes(share, "big") / 2**32 < VALIDATION_SHARE]


def draw_look(rng: np.random.Generator, split: str) -> Look:
    """Draw products until one belongs to `split`."""
    while True:
        look = _draw_any(rng)
        if look.split() == split:
            return look


def _draw_any(rng: np.random.Generator) -> Look:
    name = _pick(rng, tuple(ARTICLE_TYPES))
    article = ARTICLE_TYPES[name]
    return Look(
        article_type=name,
        colour=_pick(rng, tuple(COLOURS)),
        pattern=_pick(rng, PATTERNS),
        brand=_pick(rng, BRANDS),
        season=_pick(rng, SEASONS),
        sleeve=_pick(rng, article.sleeves) if article.sleeves else None,
        neckline=_pick(rng, article.necklines) if article.necklines else None,
        hem=_pick(rng, article.hems),
        place=_pick(rng, tuple(article.places)),
    )


def _pick(rng: np.random.Generator, words: tuple[str, ...]) -> str:
    return words[int(rng.integers(len(words)))]
