"""The text files that ASEN, ASEN++ and IPAD publish for FashionAI, DARN and DeepFashion."""

from pathlib import Path

import torch
from torch import Tensor


def read_filenames(path: str | Path) -> list[str]:
    """The photos of a split, one a line of `filenames_<split>.txt`. Raises ValueError naming an empty line."""
    names = [line.strip() for line in _lines(path)]
    for number, name in enumerate(names, 1):
        if not name:
            raise ValueError(f"{path}, line {number}: empty; every line names a photo, and lines are counted from it")
    return names


def read_pairs(path: str | Path, num_rows: int, num_values: list[int], one_a_line: bool) -> Tensor:
    """
    The labels of `label_<split>.txt`, `query_<split>.txt` or `candidate_<split>.txt`.

    Args:
        path (`str` or `Path`): lines "index attribute value [attribute value ...]", whole numbers counted from 0.
        num_rows (`int`): rows of the split, which the index counts.
        num_values (`list[int]`): values of every attribute.
        one_a_line (`bool`): whether a line must hold one pair, as queries and candidates do.

    Returns:
        int64 (M, 3): row, attribute, value of every pair, in the order of the file.

    Raises:
        ValueError: naming file and line, for a line of another form or a number out of range.
    """
    entries = []
    for number, line in enumerate(_lines(path), 1):
        try:
            row, *pairs = map(int, line.split())
            if not pairs or len(pairs) % 2 or (one_a_line and len(pairs) != 2):
                raise ValueError
        except ValueError:
            form = "index attribute value" if one_a_line else "index attribute value [attribute value ...]"
            raise ValueError(f"{path}, line {number}: expected {form!r} in whole numbers, got {line!r}") from None
        _require(path, number, "index", row, num_rows)
        for attribute, value in zip(pairs[::2], pairs[1::2], strict=True):
            _require(path, number, "attribute", attribute, len(num_values))
            _require(path, number, f"value of attribute {attribute}", value, num_values[attribute])
            entries.append((row, attribute, value))
    return torch.tensor(entries, dtype=torch.long).view(-1, 3)


def _require(path: str | Path, number: int, what: str, got: int, count: int) -> None:
    if not 0 <= got < count:
        raise ValueError(f"{path}, line {number}: the {what} must lie in 0 to {count - 1}, got {got}")


def _lines(path: str | Path) -> list[str]:
    return Path(path).read_text(encoding="utf-8").splitlines()
