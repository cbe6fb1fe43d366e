"""Check that the mapped columns exist and have the right types."""

import re
from typing import Any

from datasets import ClassLabel, Dataset, DatasetDict, Image, List, Value

from ..messages import missing_column
from .column_map import ColumnMap
from .sources.source_rows import own_columns


TEXT = ("string", "large_string", "string_view")
NUMBER = re.compile(r"bool|null|u?int\d+|float\d+")


def column_problems(corpus: DatasetDict, column_map: ColumnMap, require_caption: bool = True) -> list[str]:
    """List the problems of the columns: a line for each empty split, missing column and wrong type.

    No row is read.

    Args:
        corpus (`DatasetDict`): splits to check.
        column_map (`ColumnMap`): the columns that will be read.
        require_caption (`bool`, *optional*, defaults to `True`): whether the map must name a caption.
    """
    problems = []
    if require_caption and column_map.caption is None:
        problems.append("the column map names no caption, and one is needed here: set `caption` to a column of text")
    for name, split in corpus.items():
        if len(split) == 0:
            problems.append(f"split {name!r} has no rows")
        for part, column in column_map.columns().items():
            problem = _column_problem(split, part, column)
            if problem:
                problems.append(f"split {name!r}: {problem}")
    return problems


def _column_problem(split: Dataset, part: str, column: str) -> str | None:
    if column not in split.features:
        return missing_column(column, part, own_columns(split))
    feature = split.features[column]
    allowed, fits = _requirement(part, feature)
    return None if fits else f"column {column!r} ({part}) must hold {allowed}, it holds {_name(feature)}"


def _requirement(part: str, feature: Any) -> tuple[str, bool]:
    dtype = feature.dtype if isinstance(feature, Value) else None
    if part == "image":
        is_image = isinstance(feature.feature if isinstance(feature, List) else feature, Image)
        return "images (`datasets.Image`) or lists of them", is_image
    if part == "caption":
        return "text", dtype in TEXT
    if part.startswith("attributes.") and isinstance(feature, List):  # a multi-label corpus
        return _requirement(part, feature.feature)
    is_label = isinstance(feature, ClassLabel) or dtype in TEXT or bool(NUMBER.fullmatch(dtype or ""))
    return "text, class labels or numbers", is_label


def _name(feature: Any) -> str:
    return feature.dtype if isinstance(feature, Value) else repr(feature)
