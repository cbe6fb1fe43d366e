"""The words of a condition in SQL."""

from __future__ import annotations

import re
from dataclasses import dataclass


_TOKEN = re.compile(
    r"\s*(?:"
    r"(?P<string>'(?:[^']|'')*')|(?P<name>`[^`]+`|\"[^\"]+\")|(?P<word>[^\W\d]\w*)"
    r"|(?P<number>(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?)(?!\w)|(?P<sign><=|>=|<>|!=|==|[=<>(),-])"
    r")"
)


@dataclass(frozen=True)
class Token:
    """A word, and what it is.

    Args:
        kind (`str`): `"string"`, `"name"` (in backticks or double quotes), `"number"`, `"word"`, `"sign"` or `"end"`.
        value (`str`): strings and names without their quotes; words as they stand.
    """

    kind: str
    value: str

    def is_word(self, *words: str) -> bool:
        """Whether it is one of these words of SQL, which letter case does not matter for.

        Args:
            words: in capitals.
        """
        return self.kind == "word" and self.value.upper() in words

    def is_sign(self, *signs: str) -> bool:
        """Whether it is one of these signs.

        Args:
            signs: such as `"<="`.
        """
        return self.kind == "sign" and self.value in signs

    def __str__(self) -> str:
        return "its end" if self.kind == "end" else repr(self.value)


class Reader:
    """The words of a condition, taken one after the other; after the last one comes its end.

    Args:
        condition (`str`): SQL.

    Raises:
        ValueError: something stands there that is no word of a condition.
    """

    def __init__(self, condition: str):
        self._tokens = _tokens(condition)
        self._place = 0

    def peek(self, ahead: int = 0) -> Token:
        """The next word, or one further on.

        Args:
            ahead (`int`, *optional*, defaults to 0): how many words further.
        """
        return self._tokens[min(self._place + ahead, len(self._tokens) - 1)]

    def next(self) -> Token:
        """The next word, which is taken."""
        token = self.peek()
        self._place += 1
        return token

    def take(self, what: str) -> bool:
        """Takes the next word if it is this one.

        Args:
            what (`str`): a sign, or a word of SQL in capitals.
        """
        is_there = self.peek().is_sign(what) or self.peek().is_word(what)
        self._place += is_there
        return is_there

    def require(self, what: str) -> None:
        """Takes the next word, which must be this one.

        Args:
            what (`str`): a sign, or a word of SQL in capitals.

        Raises:
            ValueError: another one stands there.
        """
        if not self.take(what):
            raise ValueError(f"{what!r} must stand where {self.peek()} stands")


def _tokens(condition: str) -> list[Token]:
    found, place, end = [], 0, len(condition.rstrip())
    while place < end:
        match = _TOKEN.match(condition, place)
        if match is None:
            raise ValueError(f"nothing is known to begin with {condition[place:].strip()[:20]!r}")
        found.append(Token(match.lastgroup, _unquoted(match.lastgroup, match[match.lastgroup])))
        place = match.end()
    return [*found, Token("end", "")]


def _unquoted(kind: str, value: str) -> str:
    if kind == "string":
        return value[1:-1].replace("''", "'")
    return value[1:-1] if kind == "name" else value
