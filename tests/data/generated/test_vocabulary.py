import itertools

import numpy as np
import pytest

from hf_fashion.data.generated.captions import NECKLINE_WORDS, SLEEVE_WORDS
from hf_fashion.data.generated.vocabulary import (
    ARTICLE_TYPES,
    BRANDS,
    COLOURS,
    HEMS,
    NECKLINES,
    PATTERNS,
    SEASONS,
    SLEEVES,
)


LISTS = {
    "types": tuple(ARTICLE_TYPES),
    "colours": tuple(COLOURS),
    "patterns": PATTERNS,
    "sleeves": SLEEVES,
    "necklines": NECKLINES,
    "hems": HEMS,
    "seasons": SEASONS,
    "brands": BRANDS,
}


def test_sizes_are_those_of_the_readme():
    sizes = {name: len(LISTS[name]) for name in ("types", "colours", "patterns", "brands", "seasons")}
    assert sizes == {"types": 10, "colours": 14, "patterns": 6, "brands": 12, "seasons": 4}


@pytest.mark.parametrize("words", LISTS.values(), ids=LISTS)
def test_words_are_distinct(words):
    assert len(set(words)) == len(words)


@pytest.mark.parametrize("name", ARTICLE_TYPES)
def test_a_type_has_only_parts_of_the_vocabulary_and_places_inside_the_garment(name):
    article = ARTICLE_TYPES[name]
    assert set(article.sleeves) <= set(SLEEVES) and set(article.necklines) <= set(NECKLINES)
    assert article.hems and set(article.hems) <= set(HEMS)
    assert article.places and all(abs(x) < 0.2 and 0 < y < 1 for x, y in article.places.values())


def test_every_part_occurs_in_a_type():
    for part, words in (("sleeves", SLEEVES), ("necklines", NECKLINES), ("hems", HEMS)):
        assert {word for article in ARTICLE_TYPES.values() for word in getattr(article, part)} == set(words)


def test_colours_are_far_enough_apart_to_tell():
    """The drawing shifts a colour by up to 9 a channel, so two colours closer than 19 could look the same."""
    for first, second in itertools.combinations(COLOURS.values(), 2):
        assert np.abs(np.subtract(first, second)).max() > 2 * 9


def test_captions_have_words_for_every_part():
    assert set(SLEEVE_WORDS) == set(SLEEVES) and set(NECKLINE_WORDS) == set(NECKLINES)
