"""Find the columns of a CSV feed whose cells are all numbers."""

import re
from collections.abc import Iterable


# Without leading zeros or a plus sign, which codes have, and with at most the 15 digits that a float keeps exactly.
WHOLE = re.compile(r"-?(0|[1-9]\d{0,14})")
DECIMAL = re.compile(r"-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d{1,3})?")
LONGEST = 15


def number_type(cells: Iterable[str | None]) -> type[int] | type[float] | None:
    """Return `int` or `float` if every cell is such a number, else `None`: the column stays text.

    A cell with a leading zero (`00123`), a plus sign, a decimal comma or more than 15 digits is text, since a number
    would not give the same text again. Cells of the column that are empty do not count.

    Args:
        cells (`Iterable[str]`): a column; `None` where a cell is empty.
    """
    given = [cell.strip() for cell in cells if cell is not None]
    if not given:
        return None
    if all(WHOLE.fullmatch(cell) for cell in given):
        return int
    return float if all(map(_is_decimal, given)) else None


def _is_decimal(cell: str) -> bool:
    return bool(DECIMAL.fullmatch(cell)) and sum(map(str.isdigit, cell)) <= LONGEST
