"""Phrases that error messages share: suggestions, missing columns, lists; text that is safe to print."""

import unicodedata
from collections.abc import Iterable, Sequence
from difflib import get_close_matches


# Unicode's categories of control characters, formats (such as changes of direction) and halves of characters.
HIDDEN = ("Cc", "Cf", "Cs")
JOINERS = "\u200c\u200d"
# Findings that a message lists, each in a line of its own.
SHOWN = 100


def did_you_mean(name: str, allowed: Iterable[str]) -> str:
    """Return `" (did you mean 'caption'?)"` for the allowed name closest to `name`, or `""` if none is close."""
    by_lower = {candidate.lower(): candidate for candidate in allowed}
    matches = get_close_matches(name.lower(), by_lower, n=1)
    return f" (did you mean {by_lower[matches[0]]!r}?)" if matches else ""


def missing_column(column: str, part: str, columns: Iterable[str]) -> str:
    """Return `"no column 'titel' (caption) (did you mean 'title'?); columns: image, title"`."""
    names = list(columns)
    return f"no column {column!r} ({part}){did_you_mean(column, names)}; columns: {', '.join(names)}"


def listed(head: str, lines: Sequence[str]) -> str:
    """Return a sentence and, indented below it, the first of many lines. It can be read as one line too.

    Args:
        head (`str`): the sentence, without a colon.
        lines (`Sequence[str]`): what it is about.
    """
    more = [f"and {len(lines) - SHOWN:,} more"] if len(lines) > SHOWN else []
    return f"{head}:\n    " + ";\n    ".join(printable(line) for line in [*lines[:SHOWN], *more])


def printable(text: str) -> str:
    """Return a text in one line for a terminal: white space as one blank, control characters as their escapes.

    Ids and metadata come from catalogues of others. An escape sequence in them would act on the terminal; a newline
    would begin a row of its own; a change of direction would show a text in another order than it has.
    """
    line = " ".join(text.split())
    return "".join(_escaped(sign) if unicodedata.category(sign) in HIDDEN else sign for sign in line)


def _escaped(sign: str) -> str:
    # Joiners are parts of words and emoji.
    return sign if sign in JOINERS else sign.encode("unicode_escape", "surrogatepass").decode()
