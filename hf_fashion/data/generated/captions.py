"""Write product titles in several forms: type, colour, pattern and brand, and some of the visible details."""

import numpy as np

from .look import Look


SLEEVE_WORDS = {
    "sleeveless": "no sleeves",
    "short": "short sleeves",
    "elbow": "elbow-length sleeves",
    "long": "long sleeves",
}
NECKLINE_WORDS = {
    "round": "a round neck",
    "v": "a V neck",
    "square": "a square neck",
    "collar": "a collar",
    "hood": "a hood",
    "high": "a high neck",
}
TEMPLATES = (
    "{brand} {colour} {pattern} {type}{details}{season}",
    "{colour} {pattern} {type} by {brand}{details}{season}",
    "{pattern} {type} in {colour}{details}, {brand}{season}",
    "{brand}: {type}, {pattern}, {colour}{details}{season}",
    "a {pattern} {colour} {type} from {brand}{details}{season}",
)
SEASON_TEMPLATES = (" for {season}", ", {season} collection", " ({season})")
DETAIL_SHARE = 0.7


def write_caption(look: Look, rng: np.random.Generator) -> str:
    """Write a title for a product; its form and details are drawn.

    Args:
        look (`Look`): the product.
        rng (`np.random.Generator`): draws form and details.
    """
    details = [words for words in _detail_words(look) if rng.random() < DETAIL_SHARE]
    season = ""
    if rng.random() < DETAIL_SHARE:
        season = SEASON_TEMPLATES[int(rng.integers(len(SEASON_TEMPLATES)))].format(season=look.season)
    caption = TEMPLATES[int(rng.integers(len(TEMPLATES)))].format(
        brand=look.brand,
        colour=look.colour,
        pattern=look.pattern,
        type=look.article_type,
        details=" with " + _enumerate(details) if details else "",
        season=season,
    )
    return caption[0].upper() + caption[1:]


def _detail_words(look: Look) -> list[str]:
    words = [f"a {look.hem} hem"]
    if look.sleeve is not None:
        words.insert(0, SLEEVE_WORDS[look.sleeve])
    if look.neckline is not None:
        words.insert(0, NECKLINE_WORDS[look.neckline])
    return words


def _enumerate(words: list[str]) -> str:
    return words[0] if len(words) == 1 else ", ".join(words[:-1]) + " and " + words[-1]
