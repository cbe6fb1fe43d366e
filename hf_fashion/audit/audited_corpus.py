"""Read the rows of all splits of a corpus together: captions, tags, products and photos, each row by its source."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator
from itertools import accumulate
from typing import Any

from datasets import Dataset, DatasetDict
from PIL import Image

from ..data.attributes.vocabulary import attribute_cells
from ..data.column_map import ColumnMap
from ..data.photos.stored_photos import StoredPhotos
from ..data.sources.source_rows import name_sources
from ..data.values import caption_texts, column_texts


class Row(int):
    """Number of a row among those of all splits; [`AuditedCorpus.name_rows`] finds it in findings."""


class AuditedCorpus:
    """
    Rows of all splits, numbered through from 0 in the order of the splits.

    Args:
        splits (`DatasetDict`): the splits; each has the columns of the map.
        column_map (`ColumnMap`): the columns that are read.
    """

    def __init__(self, splits: DatasetDict, column_map: ColumnMap):
        self.splits, self.column_map = splits, column_map
        self._starts = [0, *accumulate(len(split) for split in splits.values())]
        self._photos = {name: StoredPhotos(split, column_map.image) for name, split in splits.items()}

    def __len__(self) -> int:
        return self._starts[-1]

    def rows_of(self, split: str) -> range:
        """Return the numbers of a split's rows.

        Args:
            split (`str`): its name.
        """
        place = list(self.splits).index(split)
        return range(self._starts[place], self._starts[place + 1])

    def place(self, row: int) -> tuple[str, int]:
        """Return the split of a row, and its number there, from 0.

        Args:
            row (`int`): its number among all.
        """
        number = bisect_right(self._starts, row) - 1
        return list(self.splits)[number], row - self._starts[number]

    def parts(self, rows: Iterable[int]) -> Iterator[Dataset]:
        """Yield some rows as datasets, one for each split that has any of them.

        Args:
            rows (`Iterable[int]`): their numbers, in ascending order.
        """
        for name, chosen in self._by_split(rows).items():
            yield self.splits[name].select(chosen)

    @property
    def captions(self) -> list[str | None]:
        """The caption of every row, `None` where it is empty; all are `None` where the map names no caption."""
        return self._texts(self.column_map.caption, caption_texts)

    @property
    def columns(self) -> dict[str, str]:
        """Tag entity or attribute -> column. An attribute whose name is also that of a tag of another column is
        called `name (attribute)`."""
        columns = dict(self.column_map.tags)
        for name, column in self.column_map.attributes.items():
            columns[name if columns.get(name, column) == column else f"{name} (attribute)"] = column
        return columns

    def labels(self) -> dict[str, list[list[str]]]:
        """Return the values of every row, for each name of [`AuditedCorpus.columns`]; none where it is unlabelled."""
        return {name: self.values(column) for name, column in self.columns.items()}

    def values(self, column: str) -> list[list[str]]:
        """Return the values of every row in one column; none where it is unlabelled.

        Args:
            column (`str`): a column of tags or attributes.
        """
        return [values for split in self.splits.values() for values in attribute_cells(split, column)]

    def ids(self) -> list[str | None] | None:
        """Return the id of every row, `None` where it is empty; `None` where the map names no column of ids."""
        return self._texts(self.column_map.product_id) if self.column_map.product_id else None

    def owners(self) -> list[tuple[str, str | int]]:
        """Return split and product of every row; a row without an id is a product of its own, named by its number."""
        ids = self._texts(self.column_map.product_id)
        products = [row if value is None else self.column_map.product_of(value) for row, value in enumerate(ids)]
        return [(self.place(row)[0], product) for row, product in enumerate(products)]

    def name_rows(self, findings: Any) -> Any:
        """Return findings with a dict in place of each [`Row`]: its `split`, its number `row` there, and its `source`.

        Args:
            findings (`Any`): dicts and lists of plain values and rows.
        """
        return _replaced(findings, self._describe(sorted(set(_rows_in(findings)))))

    def photo(self, split: str, row: int, view: int = 0) -> Image.Image:
        """Return a photo of a row, upright and in RGB.

        Args:
            split (`str`): name of its split.
            row (`int`): its number there.
            view (`int`, *optional*, defaults to 0): which of its photos, from 0.

        Raises:
            ValueError: it cannot be read; its row is named.
        """
        return self._photos[split].view(row, view)

    def _describe(self, rows: Iterable[int]) -> dict[int, dict[str, Any]]:
        described = {}
        for name, chosen in self._by_split(rows).items():
            sources = name_sources(self.splits[name], chosen, self.column_map.product_id, self.column_map.image)
            for row, source in zip(chosen, sources, strict=True):
                described[self.rows_of(name)[row]] = {"split": name, "row": row, "source": source}
        return described

    def _texts(
        self, column: str | None, read: Callable[[Dataset, str], list[str | None]] = column_texts
    ) -> list[str | None]:
        if column is None:
            return [None] * len(self)
        return [text for split in self.splits.values() for text in read(split, column)]

    def _by_split(self, rows: Iterable[int]) -> dict[str, list[int]]:
        found: dict[str, list[int]] = {}
        for row in rows:
            name, number = self.place(row)
            found.setdefault(name, []).append(number)
        return found


def _rows_in(findings: Any) -> Iterator[Row]:
    if isinstance(findings, Row):
        yield findings
    elif isinstance(findings, (dict, list)):
        for value in findings.values() if isinstance(findings, dict) else findings:
            yield from _rows_in(value)


def _replaced(findings: Any, described: dict[int, dict[str, Any]]) -> Any:
    if isinstance(findings, dict):
        return {key: _replaced(value, described) for key, value in findings.items()}
    if isinstance(findings, list):
        return [_replaced(value, described) for value in findings]
    return described[findings] if isinstance(findings, Row) else findings
