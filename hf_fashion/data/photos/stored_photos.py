"""Decode the photos of a corpus one at a time, in the one way of `images.py`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import TypeVar

from datasets import Dataset
from PIL import Image

from ...images import decode_photo, why_unreadable
from ..encoded_photos import read_bytes
from ..sources.image_column import decode_images
from ..sources.source_rows import name_sources


S = TypeVar("S")
T = TypeVar("T")


class StoredPhotos(Sequence[Image.Image]):
    """Photos of a dataset, upright and in RGB; each is decoded when it is asked for, and not kept.

    Item r is the photo of row r, the first where the row holds several views of one product.

    Args:
        dataset (`datasets.Dataset`): N rows.
        column (`str`): its image column: `Image`, a list of images, paths or bytes.
        id_column (`str`, *optional*): column of ids, for messages.
    """

    def __init__(self, dataset: Dataset, column: str, id_column: str | None = None):
        dataset = decode_images(dataset, column)
        self._stored = dataset.select_columns(column).with_format("arrow")
        self._dataset, self._column, self._id_column = dataset, column, id_column
        self._rows: Sequence[int] = range(len(dataset))

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, place: int) -> Image.Image:
        row = self._rows[place]
        return self._read(row, self._view(row), _decoded)

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

    def view(self, place: int, number: int) -> Image.Image:
        """Decode one photo of a row; its others may be unreadable.

        Args:
            place (`int`): the row.
            number (`int`): which of its photos, from 0.

        Raises:
            ValueError: it cannot be read; its row is named.
        """
        row = self._rows[place]
        return self._read(row, self._view(row, number), _decoded)

    def encoded(self, place: int) -> bytes:
        """Return the photo of a row as it is stored, not decoded.

        Args:
            place (`int`): the row.

        Raises:
            ValueError: it cannot be read; its row is named.
        """
        row = self._rows[place]
        return self._read(row, self._view(row), read_bytes)

    def decode(self, place: int, encoded: bytes) -> Image.Image:
        """Decode the photo of a row.

        Args:
            place (`int`): the row.
            encoded (`bytes`): from [`StoredPhotos.encoded`].

        Raises:
            ValueError: it cannot be read; its row is named.
        """
        return self._read(self._rows[place], encoded, decode_photo)

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

    def _view(self, row: int, number: int = 0) -> dict | None:
        return next(islice(self._views(row), number, None), None)

    def _read(self, row: int, stored: S, read: Callable[[S], T]) -> T:
        try:
            return read(stored)
        except Exception as error:  # PIL raises SyntaxError, struct.error and others on broken files, not only OSError
            (place,) = name_sources(self._dataset, [row], self._id_column, self._column)
            raise ValueError(
                f"{place}: the photo in column {self._column!r} cannot be read: {why_unreadable(error)}"
            ) from error


def _decoded(view: dict | None) -> Image.Image:
    return decode_photo(read_bytes(view))
