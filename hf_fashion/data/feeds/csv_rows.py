"""Read the rows of a CSV feed strictly: a quote, a header or a row that would lose a product is an error."""

import csv
import io
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from ...images import names_photo
from ...messages import listed


DELIMITERS = (",", ";", "\t", "|")

# Line of the file, from 1, on which a row begins; its cells by column, `None` where one is empty.
Row = tuple[int, dict[str, str | None]]


class CsvTable:
    """The rows of a CSV text, with the line on which each begins.

    The delimiter is the one of a first line `sep=;`, else the one of comma, semicolon, tab and `|` that splits the
    header into columns with `image_column` among them, else into most columns. Blanks around a cell, in quotes or not,
    empty lines, lines of only delimiters, and unnamed columns without values hold nothing and are passed over.

    Args:
        path (`Path`): the feed, for errors.
        text (`str`): its content.
        image_column (`str`): the column of photos.
    """

    def __init__(self, path: Path, text: str, image_column: str):
        self.path, self.image_column = path, image_column
        declared = text[:4].lower() == "sep="
        first, _, rest = text.partition("\n")
        self._skipped = int(declared)
        self._text = rest if declared else text
        self._delimiter = self._declared(first[4:].strip("\r")) if declared else self._likely_delimiter()
        self.header: list[str] = []

    def rows(self) -> list[Row]:
        """Return all rows.

        Raises:
            ValueError: naming file and line of all that was found: a quote is not closed, or closes in the middle of a
                cell; a quoted cell holds a whole row; a row has more or fewer cells than the header; the header names
                a column twice, or a column with values has no name.
        """
        records = self._records()
        line, header = next(records, (1, []))
        self.header = [name.strip() for name in header]
        self._require_distinct_names(line)
        rows, problems = [], []
        try:
            for line, cells in records:
                try:
                    rows.append((line, self._named(line, cells)))
                except ValueError as error:
                    problems.append(str(error))
        except ValueError as error:  # nothing behind it can be read
            problems.append(str(error))
        if problems:
            head = f"{self.path}: {len(problems):,} rows are not as the header says"
            raise ValueError(problems[0] if len(problems) == 1 else listed(head, problems))
        return rows

    def _records(self) -> Iterator[tuple[int, list[str]]]:
        """The cells of each record that holds something, with its first line."""
        line = self._skipped + 1
        with _cells_of_any_size():
            reader = csv.reader(
                io.StringIO(self._text, newline=""), delimiter=self._delimiter, skipinitialspace=True, strict=True
            )
            try:
                for cells in reader:
                    if any(cell.strip() for cell in cells):
                        yield line, cells
                    line = self._skipped + reader.line_num + 1
            except csv.Error as error:
                raise ValueError(
                    f'{self.path}, line {line}: a quote is not closed, or text follows it ({error}). A cell with a " '
                    'of its own is written in quotes, with "" for it'
                ) from error

    def _declared(self, delimiter: str) -> str:
        if len(delimiter) != 1:
            raise ValueError(
                f"{self.path}, line 1: sep= names {delimiter!r} as the delimiter, and it must be one character"
            )
        return delimiter

    def _likely_delimiter(self) -> str:
        def rank(delimiter: str) -> tuple[bool, int]:
            with _cells_of_any_size():
                try:
                    header = next(csv.reader(io.StringIO(self._text), delimiter=delimiter, skipinitialspace=True), [])
                except csv.Error:
                    header = []
            return self.image_column in [name.strip() for name in header], len(header)

        return max(DELIMITERS, key=rank)

    def _require_distinct_names(self, line: int) -> None:
        if twice := self.same_names(str):
            raise ValueError(
                f"{self.path}, line {line}: the header names the column {twice[0]!r} {len(twice)} times: rename all "
                "but one, so that no value is lost"
            )

    def same_names(self, normalised: Callable[[str], str]) -> list[str]:
        """Return the first names of the header that are one when normalised; none where all differ.

        Args:
            normalised (`Callable`): a name as the caller looks it up, such as `str.lower`.
        """
        groups: dict[str, list[str]] = {}
        for name in filter(None, self.header):
            groups.setdefault(normalised(name), []).append(name)
        return next((names for names in groups.values() if len(names) > 1), [])

    def _named(self, line: int, cells: list[str]) -> dict[str, str | None]:
        if len(cells) > len(self.header) and not any(cell.strip() for cell in cells[len(self.header) :]):
            cells = cells[: len(self.header)]
        if len(cells) != len(self.header):
            more, hint = "more", f"A cell with a {self._delimiter!r} of its own is written in quotes"
            if len(cells) < len(self.header):
                more, hint = (
                    "fewer",
                    "Cells are missing, or a cell has a line break of its own and no quotes around it",
                )
            raise ValueError(
                f"{self.path}, line {line}: {more} cells ({len(cells)}) than the header has columns "
                f"({len(self.header)}). {hint}"
            )
        for place, (name, cell) in enumerate(zip(self.header, cells, strict=True), 1):
            if cell.strip() and not name:
                raise ValueError(
                    f"{self.path}, line {line}: column {place} holds {cell[:50]!r} and has no name in the header: "
                    "name it, or remove it"
                )
            self._require_no_row_inside(line, cell)
        return {name: cell.strip() or None for name, cell in zip(self.header, cells, strict=True) if name}

    def _require_no_row_inside(self, line: int, cell: str) -> None:
        """Raise if a line of a quoted cell is a row: a stray quote has opened the cell and another one closed it."""
        if "\n" not in cell or self.image_column not in self.header:
            return
        place = self.header.index(self.image_column)
        for number, inner in enumerate(cell.splitlines()[1:], line + 1):
            parts = inner.split(self._delimiter)
            if place < len(parts) and len(parts) > 1 and names_photo(parts[place].strip()):
                raise ValueError(
                    f"{self.path}, line {line}: a quoted cell goes on over line {number}, which looks like a row of "
                    f'its own ({inner[:60]!r}): a " on line {line} is not closed there'
                )


@contextmanager
def _cells_of_any_size() -> Iterator[None]:
    """Lift the csv module's limit of 131,072 characters a cell, which counts for the whole process."""
    limit = csv.field_size_limit(min(sys.maxsize, 2**31 - 1))
    try:
        yield
    finally:
        csv.field_size_limit(limit)
