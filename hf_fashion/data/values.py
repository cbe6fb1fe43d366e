"""Read cells of a corpus as text: strings, class labels and numbers, the same way everywhere."""

import math
import unicodedata
from typing import Any

from datasets import ClassLabel, Dataset


# How programs write a value that is missing: Python, pandas, SQL and Excel.
PLACEHOLDERS = {"none", "nan", "<na>", "null", "n/a", "#n/a"}


def text_of(value: Any, feature: Any = None) -> str | None:
    """
    Return one cell as text, or `None` if it is missing.

    Args:
        value (`Any`): a cell of the dataset: text, a number, a `ClassLabel` id, or `None`.
        feature (`Any`, *optional*): the column's `datasets` feature; needed to name the classes of a `ClassLabel`.

    Returns:
        `str`, *optional*: the stripped text; a whole number without its decimals (`3.0` -> `"3"`). `None` for null,
        NaN, text that is empty or blank, and a class id below zero (how `datasets` writes "no label").
    """
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return None
    if isinstance(feature, ClassLabel) and not isinstance(value, str):
        return None if value < 0 else feature.int2str(int(value))
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return str(value).strip() or None


def column_texts(dataset: Dataset, column: str) -> list[str | None]:
    """Return every cell of a column as text, read from Arrow without decoding the images."""
    feature = dataset.features[column]
    values = dataset.with_format("arrow").select_columns(column)[:][column].to_pylist()
    return [text_of(value, feature) for value in values]


def caption_texts(dataset: Dataset, column: str) -> list[str | None]:
    """Return every caption, `None` where it is missing: null, empty, or a word such as `nan` ([`is_placeholder`]).

    Args:
        dataset (`Dataset`): N rows.
        column (`str`): the column of captions.
    """
    return [None if is_placeholder(text) else text for text in column_texts(dataset, column)]


def title_as_read(title: str) -> str:
    """Return a title as CLIP's tokenizer reads it: composed letters, in lower case, with single blanks.

    Args:
        title (`str`): a caption.
    """
    return " ".join(unicodedata.normalize("NFC", title).lower().split())


def is_placeholder(text: str | None) -> bool:
    """Return whether a text is a word that programs write for a missing value, such as `nan`.

    Args:
        text (`str`, *optional*): a cell, from [`text_of`].
    """
    return text is not None and text.casefold() in PLACEHOLDERS
