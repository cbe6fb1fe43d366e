"""Load product feeds: CSV or JSON tables whose image column holds paths of photos."""

import csv
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
from datasets import Dataset, Image, List

from ..messages import missing_column, name_rows


FEED_SUFFIXES = (".csv", ".tsv", ".jsonl", ".ndjson", ".json")


def load_product_feed(path: str | Path, image_column: str = "image", require_files: bool = True) -> Dataset:
    """
    Load a product feed; photos stay where they are and are read with their row.

    Paths are relative to the feed's folder, or absolute; in JSON a cell may be a list of paths (views of one product).
    CSV cells stay text, so that ids keep their zeros and a brand called "NA" its name; empty cells are null. The CSV
    delimiter (comma, semicolon or tab) is the one in the header.

    Args:
        path (`str` or `Path`): the feed: .csv, .tsv, .jsonl, .ndjson, or .json (a list of objects); UTF-8.
        image_column (`str`, *optional*, defaults to `"image"`): column of the paths.
        require_files (`bool`, *optional*, defaults to `True`): whether a missing photo is an error here. If not, the
            row is left for `check_corpus` to report or skip.

    Returns:
        `Dataset`: with `image_column` cast to `datasets.Image` (or a list of them), and all other columns unchanged.

    Raises:
        ValueError: if the feed cannot be parsed, has no rows or no such column.
        FileNotFoundError: naming the rows and the first photos that are missing.
    """
    path = Path(path)
    rows = _read_csv(path) if path.suffix in (".csv", ".tsv") else _read_json(path)
    if not rows:
        raise ValueError(f"{path}: the feed has no rows")
    columns = {name: [row.get(name) for row in rows] for name in dict.fromkeys(key for row in rows for key in row)}
    if image_column not in columns:
        raise ValueError(f"{path}: {missing_column(image_column, 'paths of photos', columns)}")
    columns[image_column] = [_resolve(cell, path.parent) for cell in columns[image_column]]
    if require_files:
        _require_files(path, image_column, columns[image_column])
    views = any(isinstance(cell, list) for cell in columns[image_column])
    if views:
        columns[image_column] = [cell if isinstance(cell, list) else [cell] for cell in columns[image_column]]
    try:
        dataset = Dataset.from_dict(columns)
    except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
        raise ValueError(f"{path}: a column mixes types, which a table cannot hold: {error}") from error
    return dataset.cast_column(image_column, List(Image()) if views else Image())


def _read_csv(path: Path) -> list[dict[str, str | None]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        header = file.readline()
        file.seek(0)
        reader = csv.DictReader(file, delimiter=max(",;\t", key=header.count), restkey="")
        rows = []
        for row in reader:
            if "" in row:
                raise ValueError(f"{path}, line {reader.line_num}: more cells than the header has columns")
            rows.append({name: cell or None for name, cell in row.items()})
    return rows


def _read_json(path: Path) -> list[dict[str, Any]]:
    text = path.read_text(encoding="utf-8-sig")
    if path.suffix == ".json":
        rows = _parse_json(path, 1, text)
    else:
        rows = [_parse_json(path, number, line) for number, line in enumerate(text.split("\n"), 1) if line.strip()]
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise ValueError(f"{path}: expected one JSON object a product")
    return rows


def _parse_json(path: Path, first_line: int, text: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise ValueError(f"{path}, line {first_line + error.lineno - 1}: not JSON: {error.msg}") from error


def _resolve(cell: Any, folder: Path) -> Any:
    if isinstance(cell, list):
        return [_resolve(entry, folder) for entry in cell]
    return str(folder / cell) if isinstance(cell, str) and cell else None


def _require_files(path: Path, column: str, cells: list[Any]) -> None:
    missing = {}
    for row, cell in enumerate(cells):
        for entry in cell if isinstance(cell, list) else [cell]:
            if entry is None or not Path(entry).is_file():
                missing.setdefault(row, entry)
    if missing:
        first = "; ".join(f"row {row}: {entry or 'no path'}" for row, entry in list(missing.items())[:5])
        raise FileNotFoundError(
            f"{path}: column {column!r}: no such photo in {name_rows(list(missing))} (counted from 0, without the "
            f"header): {first}. Paths are relative to {path.parent}"
        )
