"""Read the rows of a JSON or JSON-lines feed strictly."""

import json
import unicodedata
from collections import Counter
from pathlib import Path
from typing import Any


# Line of the file, from 1, on which a row begins; its values by column.
Row = tuple[int, dict[str, Any]]
LARGEST = 2**63 - 1
DEEPEST = 8  # lists and objects inside each other; `datasets` takes twice as long for each one more
NO_LETTERS = ("Cc", "Cs")  # Unicode's categories of control characters and halves of characters


def read_json_rows(path: Path, text: str) -> list[Row]:
    """Return the objects of a feed, with the line of each; of a list in a `.json` file their number, from 1.

    Args:
        path (`Path`): the feed, whose ending tells a list (`.json`) from one object a line.
        text (`str`): its content.

    Raises:
        ValueError: naming file and line: it is not JSON, an object has a key twice or one that no column can have, a
            row is no object, a number is infinite, or a whole number is larger than 64 bits hold.
    """
    if path.suffix.lower() == ".json":
        rows = _parse(path, 1, text)
        numbered = list(enumerate(rows, 1)) if isinstance(rows, list) else [(1, None)]
    else:
        lines = enumerate(text.split("\n"), 1)
        numbered = [(number, _parse(path, number, line)) for number, line in lines if line.strip()]
    for number, row in numbered:
        if not isinstance(row, dict):
            raise ValueError(f"{path}, {row_unit(path)} {number}: expected one JSON object a product")
        _require_storable(path, number, row)
    return numbered


def row_unit(path: Path) -> str:
    """Return what the rows of a feed are counted in: the objects of a list have no line of their own.

    Args:
        path (`Path`): the feed.
    """
    return "row" if path.suffix.lower() == ".json" else "line"


def distinct_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return a JSON object, for `json.loads(object_pairs_hook=...)`.

    Args:
        pairs (`list[tuple[str, Any]]`): its keys and values.

    Raises:
        ValueError: a key comes twice, of which Python would keep the last without a word.
    """
    found = dict(pairs)
    if len(found) < len(pairs):
        (twice, _), *_ = Counter(key for key, _ in pairs).most_common(1)
        raise ValueError(f"an object has the key {twice!r} twice: keep one of them")
    return found


def _parse(path: Path, first_line: int, text: str) -> Any:
    try:
        return json.loads(text, object_pairs_hook=distinct_keys, parse_constant=_constant)
    except json.JSONDecodeError as error:
        line = first_line + error.lineno - 1
        raise ValueError(f"{path}, line {line}: not JSON: {error.msg}") from error
    except RecursionError as error:
        raise ValueError(f"{path}, line {first_line}: JSON nested too deeply") from error
    except ValueError as error:
        raise ValueError(f"{path}, line {first_line}: {error}") from error


def _constant(name: str) -> None:
    """The value of a word that Python takes for a number, and JSON does not."""
    if name != "NaN":
        raise ValueError(f"{name} is no number that a column can have: write null, or a number")


def _require_storable(path: Path, number: int, row: dict[str, Any]) -> None:
    for name, value in row.items():
        if any(unicodedata.category(sign) in NO_LETTERS for sign in name):
            raise ValueError(
                f"{path}, {row_unit(path)} {number}: the key {name!a} has a control character or half of a "
                "character, which no column name can have: rename it"
            )
        if _is_deeper(value, DEEPEST):
            raise ValueError(
                f"{path}, {row_unit(path)} {number}: {name!r} is nested more than {DEEPEST} deep: write it as text, "
                "in quotes, or remove it"
            )
        if isinstance(value, int) and not -LARGEST <= value <= LARGEST:
            raise ValueError(
                f"{path}, {row_unit(path)} {number}: {name!r} is {value}, more than 64 bits hold: write it as text, "
                "in quotes"
            )


def _is_deeper(value: Any, depth: int) -> bool:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return depth < 0 or any(_is_deeper(one, depth - 1) for one in inner if isinstance(one, (dict, list)))
