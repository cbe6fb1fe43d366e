"""Tiny attribute labels for the tests of this folder."""

import torch

from hf_fashion.data.attributes.labels import AttributeLabels
from hf_fashion.data.attributes.vocabulary import AttributeVocabulary


# neck: v 4 images, round 2, cowl 1, boat 0; sleeve: long 2, short 3; the last row has none.
ROWS = [
    ("v", "long"),
    ("v", "short"),
    ("round", "short"),
    ("v", None),
    ("cowl", "long"),
    ("round", None),
    ("v", None),
    (None, "short"),
    (None, None),
]
VALUES = {"neck": ["v", "round", "cowl", "boat"], "sleeve": ["long", "short"]}


def vocabulary() -> AttributeVocabulary:
    return AttributeVocabulary(list(VALUES), VALUES)


def labels_of(rows: list[tuple], values: dict[str, list[str]]) -> AttributeLabels:
    """Labels of rows that hold, for each attribute, a value, a tuple of values or None."""
    words = AttributeVocabulary(list(values), values)
    carries = torch.zeros(len(rows), words.starts[-1], dtype=torch.bool)
    for row, cells in enumerate(rows):
        for start, cell, known in zip(words.starts[:-1], cells, values.values(), strict=True):
            for value in (cell,) if isinstance(cell, str) else cell or ():
                carries[row, start + known.index(value)] = True
    return AttributeLabels(words, carries)


def single_label() -> AttributeLabels:
    return labels_of(ROWS, VALUES)


def multi_label() -> AttributeLabels:
    """Six images of two attributes; two of them carry both `a` and `b`."""
    rows = [(("a", "b"), "x"), (("a", "b"), "x"), ("a", "y"), ("b", "y"), ("c", "x"), ("a", "y")]
    return labels_of(rows, {"mark": ["a", "b", "c"], "kind": ["x", "y"]})
