"""Compare titles and values by their words: letter case, accents, punctuation, plural and order do not count."""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable


# The shortest value in which one letter more, less or other is taken for a typing error and not for another word.
SHORTEST_TYPO = 6
ACCENTS = re.compile("[\u0300-\u036f]")  # of Latin, Greek and Cyrillic; the marks of kana make other letters
APOSTROPHES = re.compile("['\u2019]")
EAST_ASIAN = re.compile("([\u2e80-\ua4cf\uf900-\ufaff])")  # written without blanks between words
NO_WORD = re.compile(r"[\W_]+")
LETTER_AND_SIGN = re.compile(r"(?<![^\W_])([^\W\d_])[^\w\s](?=[^\W\d_])")
LETTER_AND_BLANK = re.compile(r"\b([^\W\d_]) (?=shirt|neck|line)")


def words_of(text: str) -> list[str]:
    """Return the words of a text: in lower case, without accents, apostrophes and the `s` of a plural.

    A single letter is part of the word that punctuation joins it to (`T-shirt`, `H&M`), and of `shirt`, `neck` and
    `line` behind a blank too.

    Args:
        text (`str`): a title or a value.
    """
    letters = ACCENTS.sub("", unicodedata.normalize("NFKD", text.casefold()))
    letters = unicodedata.normalize("NFKC", letters)
    joined = LETTER_AND_SIGN.sub(r"\1", APOSTROPHES.sub("", letters))
    plain = NO_WORD.sub(" ", joined)
    return [_singular(word) for word in LETTER_AND_BLANK.sub(r"\1", plain).split()]


def title_key(title: str) -> str:
    """Return what titles have in common that have the same words in any order.

    Args:
        title (`str`): the title.
    """
    return " ".join(sorted(words_of(title)))


def value_key(value: str) -> str:
    """Return what the spellings of one value have in common: `t-shirts`, `T Shirt` and `Tshirt` give `tshirt`.

    Args:
        value (`str`): the value of a tag or attribute.
    """
    return "".join(words_of(value))


def wording(text: str) -> str:
    """Return the words of a text between blanks: a value is named by a caption that has its wording.

    Each letter of Chinese and Japanese is a word.

    Args:
        text (`str`): a caption or a value.
    """
    words = words_of(EAST_ASIAN.sub(r" \1 ", text))
    return f" {' '.join(words)} "


def one_letter_apart(keys: Iterable[str]) -> list[tuple[str, str]]:
    """Return pairs of keys that differ by one letter: more, less, another, or two neighbours swapped.

    Keys with digits and those of fewer than `SHORTEST_TYPO` letters are left out. The time grows with the number of
    keys, not with that of pairs: two such keys become equal when a letter of each is left out.

    Args:
        keys (`Iterable[str]`): from [`value_key`].
    """
    owners = defaultdict(set)
    for key in {key for key in keys if len(key) >= SHORTEST_TYPO and not re.search(r"\d", key)}:
        for shorter in {key, *(key[:place] + key[place + 1 :] for place in range(len(key)))}:
            owners[shorter].add(key)
    pairs = {(one, other) for group in owners.values() for one in group for other in group if one < other}
    return sorted(pair for pair in pairs if _is_one_step(*pair))


def _singular(word: str) -> str:
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word


def _is_one_step(one: str, other: str) -> bool:
    """What is left between the common beginning and end is at most a letter on each side, or two swapped ones."""
    start = next(
        (place for place, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other))
    )
    one, other = one[start:], other[start:]
    while one and other and one[-1] == other[-1]:
        one, other = one[:-1], other[:-1]
    return max(len(one), len(other)) == 1 or (len(one) == 2 and one == other[::-1])
