"""Find captions that teach little: empty, very short, cut by the model, or silent about the product's tags."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from .audited_corpus import AuditedCorpus, Row
from .values import MIN_PHOTOS
from .wording import wording


SHORTEST = 3  # words; a caption of fewer is very short
CLIP_TOKENS = 77
# CLIP's tokenizer makes at least one token of each of these pieces.
PIECES = re.compile(r"[^\W\d_]+|\d|[^\s\w]+|_")


def audit_captions(
    corpus: AuditedCorpus, token_counts: Sequence[int] | None = None, limit: int = CLIP_TOKENS
) -> dict[str, Any]:
    """Return what is wrong with the captions.

    Args:
        corpus (`AuditedCorpus`): the rows.
        token_counts (`Sequence[int]`, *optional*): tokens of each caption that is not empty. Default: the fewest that
            CLIP's tokenizer can make of it.
        limit (`int`, *optional*, defaults to 77): tokens that a model reads.

    Returns:
        `dict`: `empty`, `short` and `cut`, rows; `captions`, how many are not empty; `words`, their median, 95th
        percentile and maximum; `limit`; `counted`, whether tokens were counted and not estimated; `named`, for every
        tag and attribute what [`named_values`] returns.
    """
    captions = corpus.captions
    rows = [row for row, caption in enumerate(captions) if caption is not None]
    texts = [captions[row] for row in rows]
    words = np.array([len(text.split()) for text in texts])
    counts = token_counts if token_counts is not None else [len(PIECES.findall(text)) + 2 for text in texts]
    spread = np.percentile(words, [50, 95, 100]).tolist() if rows else [0.0] * 3
    return {
        "captions": len(rows),
        "empty": [Row(row) for row, caption in enumerate(captions) if caption is None],
        "short": [Row(row) for row, count in zip(rows, words, strict=True) if count < SHORTEST],
        "cut": [Row(row) for row, count in zip(rows, counts, strict=True) if count > limit],
        "words": dict(zip(("median", "95 %", "max"), spread, strict=True)),
        "limit": limit,
        "counted": token_counts is not None,
        "named": {name: named_values(captions, values) for name, values in corpus.labels().items()} if rows else {},
    }


def named_values(captions: Sequence[str | None], values: Sequence[Sequence[str]]) -> dict[str, Any]:
    """Return how often captions name the values of their rows, by the words of [`~audit.wording.words_of`].

    Args:
        captions (`Sequence[str | None]`): of each row.
        values (`Sequence[Sequence[str]]`): of each row.

    Returns:
        `dict`: `num_rows` with a caption and a value, the `share` of them whose caption names a value, and `never`:
        value -> rows, of the values of at least `MIN_PHOTOS` rows that no caption names.
    """
    wordings = {value: wording(value) for row in values for value in row}
    found, named, rows, hits = Counter(), Counter(), 0, 0
    for caption, own in zip(captions, values, strict=True):
        if caption is None or not own:
            continue
        text = wording(caption)
        matches = [value for value in own if wordings[value] in text]
        found.update(own)
        named.update(matches)
        rows, hits = rows + 1, hits + bool(matches)
    return {"num_rows": rows, "share": hits / max(1, rows), "never": _never(found, named)}


def _never(found: Mapping[str, int], named: Mapping[str, int]) -> dict[str, int]:
    often = sorted((value for value, count in found.items() if count >= MIN_PHOTOS), key=lambda value: -found[value])
    return {value: found[value] for value in often if not named[value]}
