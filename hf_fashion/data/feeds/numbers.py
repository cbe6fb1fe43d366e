"""Turn the text of CSV columns into numbers where every cell is one."""

import re
from collections.abc import Sequence


# Without leading zeros or a plus sign, which codes have, and with at most the 15 digits that a float keeps exactly.
WHOLE = re.compile(r"-?(0|[1-9]\d{0,14})")
DECIMAL = re.compile(r"-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d{1,3})?")
LONGEST = 15


def typed_column(cells: Sequence[str | None]) -> list[str | int | float | None]:
    """Return a column as whole numbers or decimal numbers if all its cells are such, else as it is.

    A column stays text if any cell has a leading zero (`00123`), a plus sign, a decimal comma or more than 15 digits:
    a number would not give the same text again.

    Args:
        cells (`Sequence[str]`): text; `None` where a cell is empty.

    Returns:
        `list`: of `int`, of `float` or of `str`, with `None` where a cell is empty.
    """
    given = [cell for cell in cells if cell is not None]
    if not given:
        return list(cells)
    if all(WHOLE.fullmatch(cell.strip()) for cell in given):
        return [None if cell is None else int(cell) for cell in cells]
    if all(_is_decimal(cell.strip()) for cell in given):
        return [None if cell is None else float(cell) for cell in cells]
    return list(cells)


def _is_decimal(cell: str) -> bool:
    return bool(DECIMAL.fullmatch(cell)) and sum(map(str.isdigit, cell)) <= LONGEST
