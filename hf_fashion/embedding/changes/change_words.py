"""Read what to change in a photo, such as "in red", "without stripes" or "with a V neck", against known tag values."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ...messages import shown


NEGATIVE = ("instead of", "rather than", "other than", "anything but", "everything but", "without", "except", "not")
NEGATIVE += ("cannot", "no", "non", "never", "neither", "nor", "avoid", "remove", "less")
# What is replaced, up to one of some words: "from red to blue", "replace the stripes with dots".
REPLACED = {"from": ("to",), "change": ("to", "into"), "replace": ("with", "by"), "swap": ("for", "with")}
REPLACED |= {"switch": ("to",), "turn": ("to", "into")}
# The others replace known values only: not the neckline of "change the neckline to a V".
ALWAYS_REPLACED = ("replace", "swap")
# They end a negation, but not directly behind it: "not in red".
POSITIVE = ("but", "with", "in", "as")
PAUSES = (",", ";", ".")
FILLERS = {"a", "an", "the", "same", "this", "that", "it", "one", "is", "are", "has", "have", "instead", "rather"}
FILLERS |= {"i", "do", "does", "want", "should", "would", "could", "can", "must", "be", "please", "also", "too"}
FILLERS |= {"ca", "wo"}  # of "can't" and "won't"
FILLERS |= {"give", "get", "like", "make", "me", "need", "prefer", "show", "them"}  # "show me it in red"
# Other ways to say the above, each with the same said plainly.
PLAINLY = {
    r"n['’]t\b": " not",
    r"\bnot (?:only|just|merely)\b": "",
    r"\brather\b(?! than\b)([^,;.]*?)\bthan\b": r"\1 rather than",  # rather blue than red
}
FREE_OF = re.compile(r"\b((?:[^\W_]+-)+)free\b")
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
    """Reads English words against known tag values; letter case, plural and hyphens do not count.

    Words behind one of `NEGATIVE`, such as "not" ("isn't"), "no", "without", "instead of", "never" and "remove", are
    not wanted, up to a comma or "but", "with", "in", "as"; nor is what `REPLACED` names, such as red in "from red to
    blue", nor stripes in "stripe-free". What is no known value is kept as it is. Where two entities have a value, it
    is that of the entity with the same spelling ("shorts" are not "short"), else the first entity's.

    Args:
        values (`Mapping[str, Sequence[str]]`): tag entity -> its known values.
    """

    def __init__(self, values: Mapping[str, Sequence[str]]):
        self.by_words: dict[tuple[str, ...], tuple[str, str]] = {}
        self.by_singular: dict[tuple[str, ...], tuple[str, str]] = {}
        self.by_stems: dict[tuple[str, ...], tuple[str, str]] = {}
        for entity, its in values.items():
            spellings: dict[tuple[str, ...], str] = {}
            for value in filter(has_word, its):
                words = WORD.findall(value.casefold())
                known = entity, spellings.setdefault(_singular(words), value)
                self.by_words.setdefault(tuple(words), known)
                self.by_singular.setdefault(_singular(words), known)
                self.by_stems.setdefault(_stems(words), known)
        self.longest = max(map(len, self.by_words), default=0)
        self.fillers = FILLERS.union(*(WORD.findall(entity.casefold()) for entity in values))

    def read(self, words: str) -> Change:
        """Read what to change.

        Args:
            words (`str`): such as `"in red instead of blue"`.

        Raises:
            ValueError: the words name nothing.
        """
        phrases = _Phrases(self)
        tokens = WORD_OR_PAUSE.findall(self._plainly(words.casefold()))
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
            if value := self._value(tokens[:length]):
                return length, value
        return 0, None

    def _plainly(self, words: str) -> str:
        for pattern, plain in PLAINLY.items():
            words = re.sub(pattern, plain, words)
        return FREE_OF.sub(self._without, words)

    def _without(self, match: re.Match) -> str:
        # Of "stripe-free"; "wrinkle-free" may be a value.
        return match[0] if self._value(WORD.findall(match[0])) else f"no {match[1]},"

    def _value(self, words: Sequence[str]) -> tuple[str, str] | None:
        # The stem last: capes are no caps, though both have one.
        return (
            self.by_words.get(tuple(words))
            or self.by_singular.get(_singular(words))
            or self.by_stems.get(_stems(words))
        )


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
        self.replaced_until: tuple[str, ...] = ()

    def read(self, tokens: list[str]) -> int:
        """Read the first of some tokens. Return how many were read."""
        length, value = self.reader.value_at_start(tokens)
        if value is not None:
            self.end()
            self.found["unwanted" if self.negated else "wanted"].append(value)
            self.just_negated = False
            return length + _names_entity(value[0], tokens[length : length + 1])
        for marker in map(str.split, NEGATIVE):
            if tokens[: len(marker)] == marker:
                self._negate()
                return len(marker)
        if self._replaces(tokens):
            self._negate()
            self.replaced_until = REPLACED[tokens[0]]
        elif tokens[0] in self.replaced_until:
            self.end()
            self.negated, self.replaced_until = False, ()
        else:
            self._read_word(tokens[0])
        return 1

    def _replaces(self, tokens: Sequence[str]) -> bool:
        """Whether what is replaced begins: it does in "from red to blue", not in "from the back to the front"."""
        until = REPLACED.get(tokens[0], ())
        end = next((place for place, token in enumerate(tokens) if token in until), None)
        if end is None:
            return False
        named = [self.reader.value_at_start(tokens[place:end])[1] for place in range(1, end)]
        return tokens[0] in ALWAYS_REPLACED or any(named) or self.reader.fillers.issuperset(tokens[1:end])

    def _negate(self) -> None:
        self.end()
        self.negated = self.just_negated = True

    def _read_word(self, token: str) -> None:
        if token in PAUSES or token in POSITIVE:
            self.end()
            self.negated = self.negated and self.just_negated and token not in PAUSES
        elif token == "more" and self.negated and not self.just_negated:  # "less red more blue", but "no more red"
            self.end()
            self.negated = False
        elif token in ("and", "or"):
            self.end()
        elif self.words or token not in self.reader.fillers:
            self.words.append(token)
            self.just_negated = False

    def end(self) -> None:
        """End the words that are no known value."""
        if self.words:
            self.found["less" if self.negated else "more"].append(" ".join(self.words))
        self.words = []


def _names_entity(entity: str, tokens: Sequence[str]) -> bool:
    """Whether a word behind a value is its entity, as "sleeves" is in "short sleeves"."""
    return bool(tokens) and _singular(tokens)[0] in _singular(WORD.findall(entity.casefold()))


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
