"""Reads a `datasets.Dataset` as a catalogue: ids, photos and metadata, checked before anything is embedded."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from hashlib import blake2b
from typing import Any

import pyarrow as pa
from datasets import ClassLabel, Dataset, IterableDataset, List, Value
from PIL import Image
from transformers.utils import logging

from ...data.photos.stored_photos import StoredPhotos
from ...data.sources.source_rows import name_sources, own_columns
from ...data.values import text_of
from ...messages import did_you_mean, listed
from .column_types import adopted_type, holds_text, require_distinct_names


logger = logging.get_logger(__name__)

HASH_BYTES = 16


class Catalogue:
    """The products of a dataset, one a row.

    Args:
        dataset (`datasets.Dataset`): N rows.
        id_column (`str`): column of ids, strings or integers, without nulls and duplicates.
        image_column (`str`): column of photos; of a list of them the first is taken.
        metadata_columns (`Sequence[str]`): columns of strings, class labels (kept as their names), numbers, booleans,
            dates, or lists of those.

    Raises:
        ValueError: the dataset is a streaming one or has several splits, a column is missing or named twice, ids or
            photos are null,
            ids come twice, or a metadata column is of another type. Rows are named as their source does.
    """

    def __init__(self, dataset: Dataset, id_column: str, image_column: str, metadata_columns: Sequence[str]):
        require_columns(dataset, id_column, image_column, metadata_columns)
        dataset = dataset.with_format(None)
        self.ids = read_ids(dataset, id_column)
        if problems := id_problems(dataset, self.ids, id_column, image_column):
            raise ValueError("\n".join(problems))
        # With the ids, because a dataset without columns has no rows.
        self._metadata = dataset.select_columns(list(dict.fromkeys([id_column, *metadata_columns])))
        self.metadata_schema = pa.schema([(name, _metadata_type(dataset, name)) for name in metadata_columns])
        _require_photos(dataset, id_column, image_column)
        self._photos = StoredPhotos(dataset, image_column, id_column)
        self._dataset, self._id_column, self._image_column = dataset, id_column, image_column

    @classmethod
    def for_gallery(cls, dataset: Dataset, id_column: str, image_column: str, stored: pa.Schema) -> Catalogue:
        """Read the columns that a gallery has, as the types that they have there.

        Args:
            dataset (`datasets.Dataset`): N rows.
            id_column (`str`): column of ids.
            image_column (`str`): column of photos.
            stored (`pyarrow.Schema`): the gallery's metadata columns.

        Raises:
            ValueError: as for [`Catalogue`], or the dataset lacks one of the gallery's columns.
        """
        require_columns(dataset, id_column, image_column, [])
        if missing := [name for name in stored.names if name not in dataset.column_names]:
            raise ValueError(
                f"the dataset has no column {missing[0]!r}{did_you_mean(missing[0], own_columns(dataset))}, which the "
                f"gallery has: it has {sorted(own_columns(dataset))}. Add the column to the catalogue, its cells may "
                "be empty; or embed the catalogue into another gallery"
            )
        catalogue = cls(dataset, id_column, image_column, stored.names)
        catalogue.adopt(stored)
        return catalogue

    def adopt(self, stored: pa.Schema) -> None:
        """Take the types of a gallery's columns where they can hold all values; warn where numbers become text.

        Args:
            stored (`pyarrow.Schema`): the gallery's metadata columns.
        """
        for place, field in enumerate(self.metadata_schema):
            if field.name not in stored.names:
                continue
            kind = adopted_type(field.type, stored.field(field.name).type)
            if holds_text(kind) and not holds_text(field.type) and field.type != pa.null():
                logger.warning(
                    f"column {field.name!r} is text in the gallery and {field.type} in this catalogue: its numbers "
                    "are written as text, whole ones without a point (38), others without zeros at their end (38.5)"
                )
            self.metadata_schema = self.metadata_schema.set(place, field.with_type(kind))

    def __len__(self) -> int:
        return len(self.ids)

    def encoded_photo(self, row: int) -> bytes:
        """Return the photo of a row as it is stored, not decoded.

        Args:
            row (`int`): its number, from 0.

        Raises:
            ValueError: it cannot be read.
        """
        try:
            return self._photos.encoded(row)
        except ValueError as error:
            raise _with_advice(error) from error

    def decode_photo(self, row: int, encoded: bytes) -> Image.Image:
        """Decode the photo of a row, upright and in RGB.

        Args:
            row (`int`): its number, from 0.
            encoded (`bytes`): from [`Catalogue.encoded_photo`].

        Raises:
            ValueError: it cannot be read.
        """
        try:
            return self._photos.decode(row, encoded)
        except ValueError as error:
            raise _with_advice(error) from error

    def places(self, rows: Sequence[int]) -> list[str]:
        """Return where some rows are in their source, with id and photo: `"a.csv, line 14 (id '13', photos/13.jpg)"`.

        Args:
            rows (`Sequence[int]`): their numbers, from 0.
        """
        return name_sources(self._dataset, rows, self._id_column, self._image_column)

    def photo_hashes(self, rows: Sequence[int]) -> list[str]:
        """Return a hash of the stored bytes of some rows' photos, without decoding them.

        Args:
            rows (`Sequence[int]`): their numbers, from 0.

        Raises:
            ValueError: a photo's file cannot be read.
        """
        return [photo_hash(self.encoded_photo(row)) for row in rows]

    def photos_of(self, ids: Sequence[str]) -> StoredPhotos:
        """Return the photos of some products, each decoded when it is asked for.

        Args:
            ids (`Sequence[str]`): their ids.

        Raises:
            ValueError: there is no such product.
        """
        rows = {product_id: row for row, product_id in enumerate(self.ids)}
        unknown = [product_id for product_id in ids if product_id not in rows]
        if unknown:
            raise ValueError(f"the catalogue has no product {unknown[0]!r}")
        return self._photos.select([rows[product_id] for product_id in ids])

    def metadata(self, rows: Sequence[int]) -> dict[str, list[Any]]:
        """Return the metadata of some rows, by column.

        Args:
            rows (`Sequence[int]`): their numbers, from 0.
        """
        values = self._metadata[list(rows)]
        named = {name: _named(values[name], self._metadata.features[name]) for name in self.metadata_schema.names}
        texts = [field.name for field in self.metadata_schema if holds_text(field.type)]
        return named | {name: list(map(_numbers_as_text, named[name])) for name in texts}


def photo_hash(encoded: bytes) -> str:
    """Return the hash of a photo's bytes by which a changed photo is noticed.

    Args:
        encoded (`bytes`): the content of its file.
    """
    return blake2b(encoded, digest_size=HASH_BYTES).hexdigest()


def _with_advice(error: ValueError) -> ValueError:
    advice = "Replace it or drop the row and start again: what was embedded before is kept"
    return ValueError(f"{error}. {advice}")


def require_columns(dataset: Any, id_column: str, image_column: str, metadata_columns: Sequence[str]) -> None:
    """Raise if something is no dataset with these columns.

    Args:
        dataset (`Any`): a `datasets.Dataset`.
        id_column (`str`): column of ids.
        image_column (`str`): column of photos.
        metadata_columns (`Sequence[str]`): columns of metadata.

    Raises:
        ValueError: the dataset is a streaming one or has several splits, a column is missing or named twice, or that
            of ids holds photos or lists.
    """
    _require_rows(dataset)
    require_distinct_names(metadata_columns)
    arguments = {"id_column": [id_column], "image_column": [image_column], "metadata_columns": metadata_columns}
    columns = own_columns(dataset)
    for argument, wanted in arguments.items():
        for column in wanted:
            if column not in dataset.column_names:
                raise ValueError(
                    f"`{argument}`: the dataset has no column {column!r}{did_you_mean(column, columns)}, it has "
                    f"{sorted(columns)}. Name one with `{argument}`, on the command line --{argument}"
                )
    if not isinstance(dataset.features[id_column], Value):  # photos would be decoded
        raise ValueError(
            f"`id_column`: column {id_column!r} holds {dataset.features[id_column]}, and an id is a text or a whole "
            "number: name another column"
        )


def _require_rows(dataset: Any) -> None:
    if isinstance(dataset, IterableDataset):
        raise ValueError(
            "`dataset` is a streaming dataset, whose rows cannot be looked up: load it without `streaming=True`, or "
            "save a part of it with hf_fashion.data.sources.streams.save_stream(dataset, output, rows)"
        )
    if not isinstance(dataset, Dataset):
        splits = f" of the splits {', '.join(dataset)}" if isinstance(dataset, dict) else ""
        raise ValueError(f"`dataset` must be one datasets.Dataset{splits}, got {type(dataset).__name__}")


def read_ids(dataset: Dataset, column: str) -> list[str]:
    """Return the ids of all rows as text, empty where there is none.

    Args:
        dataset (`datasets.Dataset`): N rows.
        column (`str`): column of ids.
    """
    return ["" if value is None else str(value) for value in dataset.select_columns(column)[:][column]]


def id_problems(dataset: Dataset, ids: Sequence[str], column: str, image_column: str) -> list[str]:
    """Return a sentence for rows without an id, and one for ids of several rows; or one for a column of other types.

    Args:
        dataset (`datasets.Dataset`): N rows.
        ids (`Sequence[str]`): from [`read_ids`].
        column (`str`): column of ids.
        image_column (`str`): column of photos, whose paths are named.
    """
    rows: dict[str, list[int]] = defaultdict(list)
    for row, product_id in enumerate(ids):
        rows[product_id if product_id.strip() else ""].append(row)
    problems = []
    if missing := rows.pop("", []):
        head = f"column {column!r} is empty in {len(missing):,} of the rows; every product needs an id"
        problems.append(listed(head, name_sources(dataset, missing, image_column=image_column)))
    repeated = {product_id: places for product_id, places in rows.items() if len(places) > 1}
    if repeated:
        head = (
            f"ids must differ; {len(repeated):,} of column {column!r} come more than once. Photos of one product are "
            "a list in one row, or rows with ids of their own, which a search joins with `group_by`"
        )
        lines = (", ".join(name_sources(dataset, places, None, image_column)) for places in repeated.values())
        problems.append(listed(head, [f"{name!r}: {line}" for name, line in zip(repeated, lines, strict=True)]))
    return [f"`id_column`: {problem}" for problem in problems or _type_problems(dataset, column)]


def _type_problems(dataset: Dataset, column: str) -> list[str]:
    feature = dataset.features[column]
    if isinstance(feature, Value) and _is_id(feature.pa_type):
        return []
    first = dataset.select_columns(column)[:2][column]
    return [
        f"column {column!r} is {feature}, allowed are strings and integers; it begins with {first}. "
        f"Cast it, with dataset.cast_column({column!r}, Value('int64')) for whole numbers, or write ids as text"
    ]


def _is_id(kind: pa.DataType) -> bool:
    return pa.types.is_integer(kind) or str(kind) in ("string", "large_string", "string_view")


def rows_without_photo(dataset: Dataset, column: str) -> list[int]:
    """Return the rows whose photo is null.

    Args:
        dataset (`datasets.Dataset`): N rows.
        column (`str`): column of photos.
    """
    stored = dataset.select_columns(column).with_format("arrow")
    return [
        row
        for start in range(0, len(dataset), 1000)
        for row, absent in enumerate(stored[start : start + 1000][column].is_null().to_pylist(), start)
        if absent
    ]


def _require_photos(dataset: Dataset, id_column: str, column: str) -> None:
    if missing := rows_without_photo(dataset, column):
        places = name_sources(dataset, missing, id_column)
        raise ValueError(listed(f"`image_column`: {column!r} is null; drop these rows", places))


def _metadata_type(dataset: Dataset, column: str) -> pa.DataType:
    feature = dataset.features[column]
    inner = feature.feature if isinstance(feature, List) else feature
    if isinstance(inner, ClassLabel):
        kind = pa.string()
    elif isinstance(inner, Value) and not pa.types.is_binary(inner.pa_type):
        kind = inner.pa_type
    else:
        raise ValueError(
            f"`metadata_columns`: column {column!r} is {feature}; allowed are strings, class labels, numbers, "
            "booleans, dates and lists of them"
        )
    return pa.list_(kind) if isinstance(feature, List) else kind


def _named(values: list[Any], feature: Any) -> list[Any]:
    """Values with class labels as their names; a class below zero is how `datasets` writes "no label"."""
    if isinstance(feature, List):
        return [None if value is None else _named(value, feature.feature) for value in values]
    if isinstance(feature, ClassLabel):
        return [None if value is None or value < 0 else feature.int2str(value) for value in values]
    return values


def _numbers_as_text(value: Any) -> Any:
    if isinstance(value, list):
        return list(map(_numbers_as_text, value))
    return value if isinstance(value, str) else text_of(value)
