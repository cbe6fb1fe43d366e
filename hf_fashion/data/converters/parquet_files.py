"""Write the rows of a split to a parquet file, a group at a time."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from datasets import Features, Image, List, Value

from ...files import file_written_aside
from ...messages import shown
from ..sources.row_groups import row_groups
from ..sources.source_rows import SOURCE_ROW
from .corpus_rows import Row, Splits, all_rows


UNFIT = (pa.ArrowException, UnicodeError, OverflowError, TypeError)  # errors of values that a column cannot hold
ROWS_PER_GROUP = 200


@dataclass(frozen=True)
class PartOfFile:
    """A photo inside a larger file, such as a tar.

    Args:
        path (`Path`): the file.
        start (`int`): its first byte there.
        size (`int`): how many bytes it has.
        name (`str`): what it is called there.
    """

    path: Path
    start: int
    size: int
    name: str

    def read(self) -> bytes:
        """Return its bytes."""
        with open(self.path, "rb") as file:
            file.seek(self.start)
            return file.read(self.size)


def features_of(splits: Splits, typed: Mapping[str, Any]) -> Features:
    """Return the features of rows: `image` holds a photo or a list of them, other columns text.

    Args:
        splits (`dict[str, list[Row]]`): split -> rows.
        typed (`dict[str, Feature]`): columns that are not text, with their features.
    """
    names = dict.fromkeys(name for row in all_rows(splits) for name in row)
    views = any(isinstance(row["image"], list) for row in all_rows(splits))
    features = {name: typed.get(name, Value("string")) for name in names}
    return Features(features | {"image": List(Image()) if views else Image()})


def write_parquet(rows: Iterable[Row], features: Features, path: Path) -> int:
    """Write rows to a parquet file, which appears when it is complete. Return their number.

    Args:
        rows (`Iterable[dict]`): they are read a group at a time.
        features (`Features`): the columns; what a row lacks is null.
        path (`Path`): the file.

    Raises:
        ValueError: naming the row and column whose value is not of its type.
    """
    count = 0
    with file_written_aside(path) as aside, pq.ParquetWriter(aside, features.arrow_schema) as writer:
        for group in row_groups(rows, _photo_bytes, ROWS_PER_GROUP):
            writer.write_table(_table(group, features))
            count += len(group)
    return count


def _photo_bytes(row: Row) -> int:
    image = row.get("image")
    views = image if isinstance(image, list) else [image]
    return sum(len(view["bytes"]) for view in views if view and view["bytes"])


def _table(rows: Sequence[Row], features: Features) -> pa.Table:
    try:
        return pa.Table.from_pylist(rows, schema=features.arrow_schema)
    except UNFIT:
        for row in rows:
            for name, field in zip(features, features.arrow_schema, strict=True):
                try:
                    pa.array([row.get(name)], field.type)
                except UNFIT as error:
                    place = row.get(SOURCE_ROW, "a row")
                    reason = " ".join(str(error).split())
                    raise ValueError(f"{place}: {name!r} is {shown(row[name])}: {reason}. Correct it") from error
        raise


def stored_row(row: Row) -> Row:
    """Return a row with its photos as `datasets.Image` stores them: paths stay paths, photos in a file are read.

    Args:
        row (`dict`): a row.
    """
    image = row["image"]
    return row | {"image": [_stored(view) for view in image] if isinstance(image, list) else _stored(image)}


def _stored(photo: str | PartOfFile | None) -> dict[str, Any] | None:
    if isinstance(photo, PartOfFile):
        return {"bytes": photo.read(), "path": photo.name}
    return None if photo is None else {"bytes": None, "path": photo}
