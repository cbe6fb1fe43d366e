"""Say what is wrong in a sentence; a traceback goes to the log only."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass


logger = logging.getLogger(__name__)

FAILED = "This has failed, and it is not your fault: the reason is in the log of the server."


@dataclass
class Problem:
    """What went wrong.

    Args:
        sentence (`str`, *optional*, defaults to `""`): for the user; empty while nothing went wrong.
    """

    sentence: str = ""


@contextmanager
def explained() -> Iterator[Problem]:
    """Yield a [`Problem`], which gets the sentence of an error that ends the block.

    A `ValueError` is about what the user gave, and is worded for people. Any other error is logged.
    """
    problem = Problem()
    try:
        yield problem
    except ValueError as error:
        problem.sentence = _sentence(str(error))
    except Exception:
        logger.exception("a request has failed")
        problem.sentence = FAILED


def _sentence(text: str) -> str:
    text = text.strip()
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", "!", "?")) else ".")
