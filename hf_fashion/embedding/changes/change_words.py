"""Read what to change in a photo, such as "in red", "without stripes" or "with a V neck", against known tag values."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ...messages import shown


NEGATIVE = (("instead", "of"), ("rather", "than"), ("other", "than"), ("without",), ("except",), ("not",), ("no",))
# They end a negation, but not directly behind it: "not in red".
POSITIVE = ("but", "with", "in", "as")
PAUSES = (",", ";", ".")
FILLERS = {"a", "an", "the", "same", "this", "that", "it", "one", "is", "are", "has", "have", "instead", "rather"}
FILLERS |= {"i", "do", "does", "want", "should", "be"}
CONTRACTED = re.compile(r"n['’]t\b")
WORD = re.compile(r"[^\W_]+")
WORD_OR_PAUSE = re.compile(r"[^\W_]+|[,;.]")
ENDINGS = ("es", "ed", "s")


@dataclass(frozen=True)
class Change:
    """What is to be changed in a photo.

    Args:
        wanted (`Mapping[str, str]`): tag entity -> its new value.
        unwanted (`Sequence[tuple[str, str]]`): entities and values that are not wanted.
        more (`Sequence[str]`): other words for what is wanted.
        less (`Sequence[str]`): other words for what is not wanted.
    """

    wanted: Mapping[str, str]
    unwanted: Sequence[tuple[str, str]] = ()
    more: Sequence[str] = ()
    less: Sequence[str] = ()


class ChangeReader:
    """Reads words against known tag values; letter case, plural and hyphens do not count.

    Words behind "not" ("isn't"), "no", "without", "instead of", "rather than", "other than" and "except" are not
    wanted, up to a comma or "but", "with", "in", "as". What is no known value is kept as it is. Where two entities
    have a value, it is the first entity's.

    Args:
        values (`Mapping[str, Sequence[str]]`): tag entity -> its known values.
    """

    def __init__(self, values: Mapping[str, Sequence[str]]):
        self.by_singular: dict[tuple[str, ...], tuple[str, str]] = {}
        self.by_stems: dict[tuple[str, ...], tuple[str, str]] = {}
        for entity, its in values.items():
            for value in filter(has_word, its):
                words = WORD.findall(value.casefold())
                self.by_singular.setdefault(_singular(words), (entity, value))
                self.by_stems.setdefault(_stems(words), (entity, value))
        self.longest = max(map(len, self.by_singular), default=0)
        self.fillers = FILLERS.union(*(WORD.findall(entity.casefold()) for entity in values))

    def read(self, words: str) -> Change:
        """Read what to change.

        Args:
            words (`str`): such as `"in red instead of blue"`.

        Raises:
            ValueError: the words name nothing.
        """
        phrases = _Phrases(self)
        tokens = WORD_OR_PAUSE.findall(CONTRACTED.sub(" not", words.casefold()))
        place = 0
        while place < len(tokens):
            place += phrases.read(tokens[place:])
        phrases.end()
        if not any(phrases.found.values()):
            raise ValueError(
                f'`change` must name what is different, such as "in red" or "without stripes", got {shown(words)}'
            )
        wanted: dict[str, str] = {}
        for entity, value in phrases.found["wanted"]:
            wanted[entity] = f"{wanted[entity]} {value}" if entity in wanted else value
        return Change(wanted, *(tuple(phrases.found[part]) for part in ("unwanted", "more", "less")))

    def value_at_start(self, tokens: Sequence[str]) -> tuple[int, tuple[str, str] | None]:
        """Return the number of tokens of the longest known value that some tokens begin with, and it; 0 and `None`
        where there is none.

        Args:
            tokens (`Sequence[str]`): words in lower case.
        """
        for length in range(min(self.longest, len(tokens)), 0, -1):
            words = tokens[:length]
            # The stem last: capes are no caps, though both have one.
            if value := self.by_singular.get(_singular(words)) or self.by_stems.get(_stems(words)):
                return length, value
        return 0, None


def has_word(value: str) -> bool:
    """Return whether a tag value can be read in a text; a placeholder such as "-" cannot.

    Args:
        value (`str`): a tag value.
    """
    return WORD.search(value) is not None


class _Phrases:
    """Collects values and other words, token after token."""

    def __init__(self, reader: ChangeReader):
        self.reader = reader
        self.found: dict[str, list] = {"wanted": [], "unwanted": [], "more": [], "less": []}
        self.words: list[str] = []
        self.negated = self.just_negated = False

    def read(self, tokens: list[str]) -> int:
        """Read the first of some tokens. Return how many were read."""
        length, value = self.reader.value_at_start(tokens)
        if value is not None:
            self.end()
            self.found["unwanted" if self.negated else "wanted"].append(value)
            self.just_negated = False
            return length
        for marker in NEGATIVE:
            if tuple(tokens[: len(marker)]) == marker:
                self.end()
                self.negated = self.just_negated = True
                return len(marker)
        self._read_word(tokens[0])
        return 1

    def _read_word(self, token: str) -> None:
        if token in PAUSES or token in POSITIVE:
            self.end()
            self.negated = self.negated and self.just_negated and token not in PAUSES
        elif token == "and":
            self.end()
        elif self.words or token not in self.reader.fillers:
            self.words.append(token)
            self.just_negated = False

    def end(self) -> None:
        """End the words that are no known value."""
        if self.words:
            self.found["less" if self.negated else "more"].append(" ".join(self.words))
        self.words = []


def _singular(words: Sequence[str]) -> tuple[str, ...]:
    return tuple(word.removesuffix("s") for word in words)


def _stems(tokens: Sequence[str]) -> tuple[str, ...]:
    return tuple(map(_stem, tokens))


def _stem(token: str) -> str:
    """A word without the ending of its plural or participle: "stripes" and "striped" are one."""
    ending = next((one for one in ENDINGS if token.endswith(one) and len(token) - len(one) >= 3), "")
    if ending and not token.endswith("ss"):
        token = token.removesuffix(ending)
    return token.removesuffix("e") if len(token) > 3 else token
