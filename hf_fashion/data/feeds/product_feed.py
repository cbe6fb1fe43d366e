"""Load product feeds: CSV or JSON tables whose image column holds paths of photos."""

import logging
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa
from datasets import Dataset, DatasetDict, Image, List, concatenate_datasets

from ...files import similar_file
from ...messages import listed, missing_column, shown
from ..encoded_photos import is_url
from ..sources.source_rows import SOURCE_ROW
from .csv_rows import CsvTable
from .encoding import read_text
from .json_rows import read_json_rows, row_unit
from .numbers import MOST_ODD, has_decimal_commas, is_missing, marked_numbers, number_type, odd_cells


logger = logging.getLogger(__name__)

FEED_SUFFIXES = (".csv", ".tsv", ".jsonl", ".ndjson", ".json")
LINES_SHOWN = 5


def is_feed(path: Path) -> bool:
    """Return whether a file is a product feed, by its ending.

    Args:
        path (`Path`): a file.
    """
    return path.suffix.lower() in FEED_SUFFIXES


def load_product_feeds(
    feeds: Mapping[str, Sequence[str | Path]],
    image_column: str = "image",
    require_files: bool = True,
    id_column: str | None = None,
) -> DatasetDict:
    """
    Load the feeds of each split; photos stay where they are and are read with their row.

    Paths of photos are relative to their feed's folder, or absolute; in JSON a cell may be a list of paths (views of
    one product). A CSV column is numbers if all its cells are, in all feeds; ids with leading zeros stay text, as does
    a brand called "NA". Empty cells are null. Delimiters are those of [`CsvTable`], encodings those of [`read_text`].

    Args:
        feeds (`Mapping[str, Sequence[str | Path]]`): split -> files, which follow each other: .csv, .tsv, .jsonl,
            .ndjson, or .json (a list of objects).
        image_column (`str`, *optional*, defaults to `"image"`): column of the paths.
        require_files (`bool`, *optional*, defaults to `True`): whether a missing photo is an error here. If not, the
            row is left for `check_corpus` to report or skip.
        id_column (`str`, *optional*): column of ids. Decimals there are text, as 4711.10 is another id than 4711.1.

    Returns:
        `DatasetDict`: `image_column` is cast to `datasets.Image` (or a list of them), other columns are unchanged.

    Raises:
        ValueError: naming file and line, if a feed cannot be parsed, would lose a row or a value, has no rows or no
            such column, holds URLs in place of paths, or feeds of one split have different columns.
        FileNotFoundError: naming the lines and the first photos that are missing.
    """
    tables = {name: [_read(Path(path), image_column) for path in paths] for name, paths in feeds.items()}
    every = [table for split in tables.values() for table in split]
    for name in dict.fromkeys(name for table in every if table.is_csv for name in table.columns):
        if name != image_column:
            _convert_numbers(name, [table for table in every if name in table.columns], whole=name == id_column)
    return DatasetDict(
        {
            name: _joined([_dataset(table, image_column, require_files) for table in split], split)
            for name, split in tables.items()
        }
    )


@dataclass
class _Table:
    path: Path
    lines: list[int]
    columns: dict[str, list[Any]]

    @property
    def is_csv(self) -> bool:
        return _is_csv(self.path)

    def place(self, row: int) -> str:
        """Where a row is: its line, in a list of JSON objects its number."""
        return f"{row_unit(self.path)} {self.lines[row]}"

    @property
    def places(self) -> list[str]:
        return [self.place(row) for row in range(len(self.lines))]


def _read(path: Path, image_column: str) -> _Table:
    text = read_text(path)
    rows = CsvTable(path, text, image_column).rows() if _is_csv(path) else read_json_rows(path, text)
    if not rows:
        raise ValueError(f"{path}: the feed has no rows")
    names = dict.fromkeys(name for _, row in rows for name in row)
    table = _Table(path, [line for line, _ in rows], {name: [row.get(name) for _, row in rows] for name in names})
    if image_column not in table.columns:
        raise ValueError(
            f"{path}: {missing_column(image_column, 'paths of photos', table.columns)}. Name it with `image_column` "
            "(--image_column, or `image` in the column map)"
        )
    return table


def _is_csv(path: Path) -> bool:
    return path.suffix.lower() in (".csv", ".tsv")


def _convert_numbers(name: str, tables: Sequence[_Table], whole: bool) -> None:
    """Convert a column of CSV feeds if its cells are numbers in all of them, or only if they are `whole` numbers."""
    if not all(table.is_csv for table in tables):
        return
    cells = [cell for table in tables for cell in table.columns[name]]
    kind = number_type(cells)
    if kind is None or (whole and kind is float):
        _log_odd_cells(name, cells, tables)
        _log_line_breaks(name, cells, tables)
    else:
        _log_missing_numbers(name, cells, tables)
        for table in tables:
            table.columns[name] = [None if is_missing(cell) else kind(cell) for cell in table.columns[name]]


def _log_odd_cells(name: str, cells: Sequence[str | None], tables: Sequence[_Table]) -> None:
    """Name the lines that make a column text, if all others are numbers; or say that commas or other signs do."""
    odd = odd_cells(cells)
    if odd:
        head = (
            f"column {name!r} is text, since these cells are no numbers, and a filter such as {name} < 50 cannot be "
            "used. Empty these cells or write numbers, with points and not commas"
        )
        _log_cells(head, name, odd, tables)
    elif has_decimal_commas(cells):
        logger.warning(
            "column %r is text, since its numbers have decimal commas, and a filter such as %s < 50 cannot be used. "
            "Write the numbers with points",
            name,
            name,
        )
    elif marked := marked_numbers(cells):
        head = (
            f"column {name!r} is text, since {len(marked):,} of its numbers have a currency sign or a thousands "
            f"separator, and a filter such as {name} < 50 cannot be used. Write plain numbers; the first such cell is"
        )
        _log_cells(head, name, marked[:1], tables)


def _log_missing_numbers(name: str, cells: Sequence[str | None], tables: Sequence[_Table]) -> None:
    found = [place for place, cell in enumerate(cells) if cell is not None and is_missing(cell)]
    if found:
        _log_cells(f"column {name!r} has these cells that count as empty", name, found, tables)


def _log_line_breaks(name: str, cells: Sequence[str | None], tables: Sequence[_Table]) -> None:
    """Name the few cells of a column that have line breaks, which a filter must have too; descriptions have many."""
    found = [place for place, cell in enumerate(cells) if cell is not None and len(cell.splitlines()) > 1]
    if found and len(found) <= MOST_ODD * len(cells):
        _log_cells(f"column {name!r} has cells with a line break, which stays part of the value", name, found, tables)


def _log_cells(head: str, name: str, found: Sequence[int], tables: Sequence[_Table]) -> None:
    """Name cells of a column by their places among those of all tables."""
    rows = [(table, row) for table in tables for row in range(len(table.lines))]
    chosen = (rows[place] for place in found)
    lines = [f"{table.path}, {table.place(row)}: {table.columns[name][row]!r}" for table, row in chosen]
    logger.warning("%s", listed(head, lines))


def _dataset(table: _Table, image_column: str, require_files: bool) -> Dataset:
    cells = [_resolve(table, row, cell) for row, cell in enumerate(table.columns[image_column])]
    if require_files:
        _require_files(table, image_column, cells)
    views = any(isinstance(cell, list) for cell in cells)
    if views:
        cells = [cell if isinstance(cell, list) else [cell] for cell in cells]
    sources = {SOURCE_ROW: [f"{table.path.name}, {place}" for place in table.places]}
    try:
        dataset = Dataset.from_dict(table.columns | sources | {image_column: cells})
    except (pa.ArrowException, UnicodeError, OverflowError, TypeError) as error:
        raise ValueError(f"{table.path}{_misfit(table)}: {' '.join(str(error).split())}") from error
    return dataset.cast_column(image_column, List(Image()) if views else Image())


def _misfit(table: _Table) -> str:
    """Where a column has its first value that does not go with those before it."""
    for name, values in table.columns.items():
        row = bisect_left(range(len(values)), True, key=lambda row, values=values: not _fit(values[: row + 1]))
        if row < len(values):
            return (
                f", {table.place(row)}: column {name!r} has {shown(values[row])}, which a table cannot hold "
                f"with {shown(values[0])} in the same column; write all of its values in one way"
            )
    return ": its columns are no table"


def _fit(values: list[Any]) -> bool:
    try:
        pa.array(values)
    except (pa.ArrowException, UnicodeError, OverflowError, TypeError):
        return False
    return True


def _resolve(table: _Table, row: int, cell: Any) -> Any:
    """The path of a photo, or the paths of its views."""
    if isinstance(cell, list):
        return [_resolve(table, row, entry) for entry in cell]
    if not isinstance(cell, str) or not cell.strip():
        return None
    if is_url(cell):
        raise ValueError(
            f"{table.path}, {table.place(row)}: {cell!r} is a URL. Photos are not downloaded: download them and "
            "write their paths into the feed. For exports of Shopify, and feeds with the columns id, title and "
            "image_link, `hf-fashion convert` does so (--fetch_images)"
        )
    return str(table.path.parent / cell)


def _require_files(table: _Table, column: str, cells: Sequence[Any]) -> None:
    missing: dict[str, str | None] = {}
    for place, cell in zip(table.places, cells, strict=True):
        for entry in cell if isinstance(cell, list) else [cell]:
            if entry is None or not Path(entry).is_file():
                missing.setdefault(place, entry)
    if missing:
        named = ((place, f"{entry}{similar_file(entry)}" if entry else "no path") for place, entry in missing.items())
        first = "; ".join(f"{place}: {entry}" for place, entry in islice(named, LINES_SHOWN))
        more = f" and {len(missing) - LINES_SHOWN:,} more" if len(missing) > LINES_SHOWN else ""
        raise FileNotFoundError(
            f"{table.path}: column {column!r}: {len(missing):,} rows without their photo: {first}{more}. Paths are "
            f"relative to {table.path.parent}"
        )


def _joined(datasets: Sequence[Dataset], tables: Sequence[_Table]) -> Dataset:
    """One split of several feeds, which must have the same columns."""
    whole, first = datasets[0], tables[0].path
    for table, dataset in zip(tables[1:], datasets[1:], strict=True):
        differing = sorted(set(whole.column_names) ^ set(dataset.column_names))
        if differing:
            raise ValueError(
                f"{first} and {table.path} are feeds of one split and must have the same columns; only one of them "
                f"has: {', '.join(differing)}"
            )
        try:
            whole = concatenate_datasets([whole, dataset])
        except ValueError as error:
            raise ValueError(f"{first} and {table.path} hold different types in the same column: {error}") from error
    return whole
