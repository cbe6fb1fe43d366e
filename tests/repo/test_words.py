"""Prose in the words of the field: phrases that readers stop at are not used, each with what to write instead."""

import io
import re
import tokenize
from pathlib import Path

import pytest

from tests.repo.tree import REPOSITORY, repository_files, short


# In comments, strings and documents. What is here can be found without false alarms; the rest is for the reviewer.
BANNED = {
    r"\bshall\b": "the imperative, or 'must'",
    r"\bbeside\b": "'next to'",
    r"\banew\b": "'again'",
    r"\bso (?:many|long)\b": "the number, or 'that many'",
    r"\b(?:leave|leaves|leaving|left) (?:it |them )?away\b": "'omit'",
    r"\bwhat (?:[\w`'\[\]~.-]+ ){1,4}says?\b": "the thing itself: 'the message', 'as documented in'",
    r"\bwhat becomes? of\b": "what is done with it",
    r"\b(?:came|comes?) to (?:its|their|an) end\b": "'ended', 'finished'",
    r"\bcan nothing\b": "'can do nothing'",
    r"\bnone but\b": "'only'",
    r"(?<!travel\s)(?<!travels\s)\balone\b": "'only', 'without ...', 'by itself'",
    r"\b(?:stands?|stood) (?:in(?! for)|on|at|under|behind|before|above|next to|between|together)\b": "'is', 'are'",
}
# Names included.
BANNED_IN_CODE = {r"num_rerank": "num_candidates"}
# HTML has an element of the name, with a class or a style of its own.
BANNED_IN_PACKAGE = {r"(?<![A-Za-z</])[Ff]igures?(?![A-Za-z])(?! \d| \{| img)": "'metric'"}
TEXTS = [path for path in repository_files() if path.suffix in (".py", ".md") and path != Path(__file__).resolve()]


def found(text: str, banned: dict[str, str], first_line: int = 1) -> list[str]:
    """Return a message for every banned phrase, those that a line break divides included."""
    messages = []
    for pattern, better in banned.items():
        for match in re.finditer(pattern.replace(" ", r"\s+"), text, re.IGNORECASE):
            line = first_line + text.count("\n", 0, match.start())
            messages.append(f"line {line}: {' '.join(match[0].split())!r}; write {better}")
    return messages


def prose_of_code(source: str) -> list[tuple[int, str]]:
    """Return line and text of the comments and strings; comments of successive lines are one text."""
    texts: list[tuple[int, str]] = []
    last_comment = None
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT and last_comment == token.start[0] - 1:
            texts[-1] = (texts[-1][0], f"{texts[-1][1]}\n{token.string.lstrip('# ')}")
        elif token.type in (tokenize.COMMENT, tokenize.STRING):
            texts.append((token.start[0], token.string))
        last_comment = token.start[0] if token.type == tokenize.COMMENT else last_comment
    return texts


def wrong_words(path: Path, text: str) -> list[str]:
    texts = prose_of_code(text) if path.suffix == ".py" else [(1, text)]
    messages = [message for line, prose in texts for message in found(prose, BANNED, line)]
    if path.name != "CHANGELOG.md":  # which names what was renamed
        messages += found(text, BANNED_IN_CODE)
    if REPOSITORY / "hf_fashion" in path.parents:
        messages += found(text, BANNED_IN_PACKAGE)
    return messages


@pytest.mark.parametrize("path", TEXTS, ids=short)
def test_words(path):
    assert wrong_words(path, path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    ("source", "lines"),
    [
        ("alone = 1  # a name is free\n", []),
        ('"""One.\n\nThe photo beside\nit."""\n', [3]),
        ("# The text that stands\n# in the file.\nx = 'by its files alone'\n", [1, 3]),
        ("def f(num_rerank): ...\n", [1]),
        ("# What the docstring of `f` says, so\n# many times.\n", [1, 1]),
        ("# The folder travels alone; it stands in for another.\n", []),
        ("figures = {}  # figure 7 of the paper\n", [1]),
    ],
)
def test_a_wrong_word_is_seen(source, lines):
    messages = wrong_words(REPOSITORY / "hf_fashion" / "planted.py", source)
    assert sorted(int(re.match(r"line (\d+)", message)[1]) for message in messages) == lines
