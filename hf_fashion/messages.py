"""Phrases that error messages share: spelling suggestions, missing columns, lists of findings."""

from collections.abc import Iterable, Sequence
from difflib import get_close_matches


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
    """Return a sentence and, indented below it, the first of many lines, which can be read as one line too.

    Args:
        head (`str`): the sentence, without a colon.
        lines (`Sequence[str]`): what it is about.
    """
    more = [f"and {len(lines) - SHOWN:,} more"] if len(lines) > SHOWN else []
    return f"{head}:\n    " + ";\n    ".join([*lines[:SHOWN], *more])
