"""Read the label files that ASEN, ASEN++ and IPAD publish for FashionAI, DARN and DeepFashion."""

from pathlib import Path

import torch
from torch import Tensor


def read_filenames(path: str | Path) -> list[str]:
    """Read the photos of a split, one a line of `filenames_<split>.txt`.

    Args:
        path (`str` or `Path`): the file.

    Raises:
        ValueError: naming an empty line.
    """
    names = [line.strip() for line in _lines(path)]
    for number, name in enumerate(names, 1):
        if not name:
            raise ValueError(f"{path}, line {number}: empty; every line must name a photo, as labels count the lines")
    return names


def read_pairs(path: str | Path, num_rows: int, num_values: list[int], one_a_line: bool) -> Tensor:
    """
    Read the labels of `label_<split>.txt`, `query_<split>.txt` or `candidate_<split>.txt`.

    Args:
        path (`str` or `Path`): lines "index attribute value [attribute value ...]", whole numbers counted from 0.
        num_rows (`int`): number of rows of the split, the limit of the index.
        num_values (`list[int]`): number of values of every attribute.
        one_a_line (`bool`): whether a line must hold one pair, as queries and candidates do.

    Returns:
        `torch.Tensor` of shape `(M, 3)`: int64; row, attribute and value of every pair, in the order of the file.

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
