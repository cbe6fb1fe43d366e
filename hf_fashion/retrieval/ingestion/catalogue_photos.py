"""A catalogue's photos by the ids of the products, for those who show what was found."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from datasets import Dataset
from PIL import Image

from ...messages import listed
from .catalogue import Catalogue, require_columns, rows_without_photo
from .load_catalogue import load_catalogue


class CataloguePhotos(Mapping[str, Image.Image]):
    """A mapping from id to photo, upright and in RGB; each photo is decoded when it is asked for, and not kept.

    Args:
        catalogue ([`Catalogue`]): the products.
    """

    def __init__(self, catalogue: Catalogue):
        self._photos = catalogue.photos_of(catalogue.ids)
        self._rows = {product_id: row for row, product_id in enumerate(catalogue.ids)}

    @classmethod
    def read(
        cls, source: Dataset | str | Path, id_column: str | None = None, image_column: str | None = None
    ) -> CataloguePhotos:
        """Read a catalogue.

        Args:
            source (`datasets.Dataset`, `str` or `Path`): a dataset, or a catalogue as [`load_catalogue`] takes it.
            id_column (`str`, *optional*): column of the ids. Needed for a dataset; default for others: the column
                map's `product_id`, else `file_name`.
            image_column (`str`, *optional*): column of the photos. Default: the column map's, or `image`.

        Raises:
            FileNotFoundError: there is no such catalogue.
            ValueError: a column is missing or not named, or ids are not as in [`Catalogue`].
        """
        if isinstance(source, (str, Path)):
            columns = load_catalogue(source, None, id_column, image_column, metadata_columns=[], require_files=False)
        elif id_column is None:
            names = getattr(source, "column_names", [])
            raise ValueError(listed("name the column of the ids of `photos` with `id_column`, one of", list(names)))
        else:
            columns = {"dataset": source, "id_column": id_column, "image_column": image_column or "image"}
        return cls.of_columns(columns["dataset"], columns["id_column"], columns["image_column"])

    @classmethod
    def of_columns(cls, dataset: Dataset, id_column: str, image_column: str) -> CataloguePhotos:
        """Read the columns of a dataset. Rows without a photo are left out, as `embed --on_bad_image skip` does.

        Args:
            dataset (`datasets.Dataset`): N rows.
            id_column (`str`): column of the ids.
            image_column (`str`): column of the photos.

        Raises:
            ValueError: a column is missing, or ids are not as in [`Catalogue`].
        """
        require_columns(dataset, id_column, image_column, [])
        absent = set(rows_without_photo(dataset, image_column))
        there = [row for row in range(len(dataset)) if row not in absent]
        return cls(Catalogue(dataset.select(there) if absent else dataset, id_column, image_column, []))

    def __getitem__(self, product_id: str) -> Image.Image:
        return self._photos[self._rows[product_id]]

    def __contains__(self, product_id: Any) -> bool:
        return product_id in self._rows  # the inherited one decodes the photo

    def __iter__(self) -> Iterator[str]:
        return iter(self._rows)

    def __len__(self) -> int:
        return len(self._rows)
