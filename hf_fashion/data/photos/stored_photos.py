"""Decode the photos of a corpus one at a time, in the one way of `images.py`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from datasets import Dataset
from PIL import Image

from ...images import decode_photo, why_unreadable
from ..encoded_photos import read_bytes
from ..loading import decode_images


T = TypeVar("T")


class StoredPhotos(Sequence[Image.Image]):
    """Photos of a dataset, upright and in RGB; each is decoded when it is asked for, and not kept.

    Item r is the photo of row r, the first where the row holds several views of one product.

    Args:
        dataset (`datasets.Dataset`): N rows.
        column (`str`): its image column: `Image`, a list of images, paths or bytes.
        ids (`Sequence[str]`, *optional*): the N products' ids, for messages.
    """

    def __init__(self, dataset: Dataset, column: str, ids: Sequence[str] | None = None):
        self._stored = decode_images(dataset, column).select_columns(column).with_format("arrow")
        self._column = column
        self._ids = ids
        self._rows: Sequence[int] = range(len(dataset))

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, place: int) -> Image.Image:
        row = self._rows[place]
        return self._read(row, self._first(row), _decoded)

    def views(self, place: int) -> Iterator[Image.Image]:
        """Decode all photos of a row, one after another.

        Args:
            place (`int`): the row.

        Raises:
            ValueError: one cannot be read; its row is named.
        """
        row = self._rows[place]
        for view in self._views(row):
            yield self._read(row, view, _decoded)

    def encoded(self, place: int) -> bytes:
        """Return the photo of a row as it is stored, not decoded.

        Args:
            place (`int`): the row.

        Raises:
            ValueError: it cannot be read; its row is named.
        """
        row = self._rows[place]
        return self._read(row, self._first(row), read_bytes)

    def select(self, rows: Sequence[int]) -> StoredPhotos:
        """Return the photos of some rows; messages name the rows as before.

        Args:
            rows (`Sequence[int]`): their numbers, from 0.
        """
        chosen = object.__new__(StoredPhotos)
        chosen.__dict__.update(self.__dict__, _rows=[self._rows[row] for row in rows])
        return chosen

    def _views(self, row: int) -> list[dict | None]:
        cell = self._stored[row][self._column][0].as_py()
        return cell if isinstance(cell, list) else [cell]

    def _first(self, row: int) -> dict | None:
        return next(iter(self._views(row)), None)

    def _read(self, row: int, view: dict | None, read: Callable[[dict | None], T]) -> T:
        try:
            return read(view)
        except Exception as error:  # PIL raises SyntaxError, struct.error and others on broken files, not only OSError
            product = "" if self._ids is None else f" (id {self._ids[row]!r})"
            path = f", {view['path']}," if view is not None and view.get("path") else ""
            raise ValueError(
                f"row {row}{product}: the photo in column {self._column!r}{path} cannot be read: "
                f"{why_unreadable(error)}"
            ) from error


def _decoded(view: dict | None) -> Image.Image:
    return decode_photo(read_bytes(view))
