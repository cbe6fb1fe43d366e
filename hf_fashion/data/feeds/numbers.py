"""Find the columns of a CSV feed whose cells are all numbers."""

import math
import re
from collections.abc import Iterable, Sequence


# Without leading zeros or a plus sign, which codes have, and with at most the 15 digits that a float keeps exactly.
WHOLE = re.compile(r"-?(0|[1-9]\d{0,14})")
# An exponent has a sign, or a point before it, as programs write it: `12E4` is a code.
DECIMAL = re.compile(r"-?(0|[1-9]\d*)(\.\d+([eE][+-]?\d{1,3})?|[eE][+-]\d{1,3})?")
LONGEST = 15
MISSING = "nan"  # how spreadsheets and pandas write a number that is missing
DECIMAL_COMMA = re.compile(r"-?(0|[1-9]\d*),\d{1,2}")
CURRENCY = (
    r"(?:[$€£¥₹₩₽₺₴₫₪฿]|AED|AUD|BGN|BRL|CAD|CHF|CNY|CZK|DKK|EUR|GBP|HKD|HUF|INR|JPY|KRW|MXN|NOK|NZD|PLN|RON|SAR|SEK"
    r"|SGD|TRY|USD|ZAR|kr|Kč|zł)"
)
# The separator of thousands is not that of decimals: `1,299.00`, `1.299,00`, `1 299`.
THOUSANDS = r"(?P<thousands>[1-9]\d{0,2}(?P<mark>[.,'’\s])\d{3}((?P=mark)\d{3})*((?!(?P=mark))[.,]\d{1,2})?)"
PRICE = re.compile(rf"-?(?P<before>{CURRENCY})?\s?({THOUSANDS}|(0|[1-9]\d*)([.,]\d{{1,2}})?)\s?(?P<after>{CURRENCY})?")
# Share of the cells of a column up to which those that are no numbers are likely mistakes.
MOST_ODD = 0.1


def number_type(cells: Iterable[str | None]) -> type[int] | type[float] | None:
    """Return `int` or `float` if every cell is such a number, else `None`: the column stays text.

    A cell with a leading zero (`00123`), a plus sign, a decimal comma, a bare exponent (`12E4`) or more than 15 digits
    is text, since a number would not give the same text again. Empty cells and `nan` do not count.

    Args:
        cells (`Iterable[str]`): a column; `None` where a cell is empty.
    """
    given = [cell.strip() for cell in cells if not is_missing(cell)]
    if not given:
        return None
    if all(WHOLE.fullmatch(cell) for cell in given):
        return int
    return float if all(map(_is_decimal, given)) else None


def odd_cells(cells: Sequence[str | None]) -> list[int]:
    """Return the places of the few cells that keep a column from being numbers, such as `12,50` in one of prices.

    Codes are no numbers: where a cell has only digits, with a leading zero or too many of them, no place is returned.

    Args:
        cells (`Sequence[str]`): a column; `None` where a cell is empty.
    """
    given = {place: cell.strip() for place, cell in enumerate(cells) if not is_missing(cell)}
    odd = [place for place, cell in given.items() if not _is_decimal(cell)]
    is_code = any(given[place].lstrip("+-").isdigit() for place in odd)
    return odd if len(odd) <= len(given) * MOST_ODD and not is_code else []


def is_missing(cell: str | None) -> bool:
    """Return whether a cell of a column of numbers holds none: it is empty or `nan`.

    Args:
        cell (`str`, *optional*): the cell; `None` where it is empty.
    """
    return cell is None or cell.strip().lower() == MISSING


def has_decimal_commas(cells: Iterable[str | None]) -> bool:
    """Return whether every cell is a number, some with a decimal comma, which keeps the column text.

    Args:
        cells (`Iterable[str]`): a column; `None` where a cell is empty.
    """
    given = [cell.strip() for cell in cells if not is_missing(cell)]
    with_comma = [cell for cell in given if DECIMAL_COMMA.fullmatch(cell)]
    return bool(with_comma) and len(with_comma) + sum(map(_is_decimal, given)) == len(given)


def marked_numbers(cells: Sequence[str | None]) -> list[int]:
    """Return the places of numbers with a currency sign or a thousands separator, where these keep a column text.

    Args:
        cells (`Sequence[str]`): a column; `None` where a cell is empty.

    Returns:
        `list[int]`: none where more than a tenth of the cells is no number at all.
    """
    given = {place: cell.strip() for place, cell in enumerate(cells) if not is_missing(cell)}
    marked = [place for place, cell in given.items() if _is_marked(cell)]
    plain = sum(_is_decimal(cell) or bool(DECIMAL_COMMA.fullmatch(cell)) for cell in given.values())
    return marked if len(given) - len(marked) - plain <= len(given) * MOST_ODD else []


def _is_marked(cell: str) -> bool:
    price = PRICE.fullmatch(cell)
    return bool(price) and any(price[part] for part in ("before", "thousands", "after"))


def _is_decimal(cell: str) -> bool:
    return bool(DECIMAL.fullmatch(cell)) and sum(map(str.isdigit, cell)) <= LONGEST and math.isfinite(float(cell))
