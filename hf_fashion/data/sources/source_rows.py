"""Name the rows of a corpus as their source does: a line of a feed, a path in a folder, a row of a split."""

from collections.abc import Sequence

import pyarrow as pa
from datasets import Dataset, DatasetDict
from datasets.fingerprint import Hasher

from ..encoded_photos import encoded_images
from ..values import column_texts


# Column of text that every loaded row carries through selections and splits: where its source has it.
SOURCE_ROW = "source_row"


def with_source_rows(corpus: DatasetDict) -> DatasetDict:
    """Add the column `source_row`, such as `"train[13]"`, to the splits that do not have it.

    Args:
        corpus (`DatasetDict`): splits as they are loaded.
    """
    return DatasetDict({name: _with_source_rows(split, name) for name, split in corpus.items()})


def own_columns(dataset: Dataset) -> list[str]:
    """Return the names of the columns that the source has.

    Args:
        dataset (`Dataset`): rows of a corpus.
    """
    return [name for name in dataset.column_names if name != SOURCE_ROW]


def name_sources(
    dataset: Dataset, rows: Sequence[int], id_column: str | None = None, image_column: str | None = None
) -> list[str]:
    """Return the place of some rows in their source, with id and photo: `"a.csv, line 14 (id '13', photos/13.jpg)"`.

    Args:
        dataset (`Dataset`): rows of a corpus; without the column `source_row` they are counted, from 0.
        rows (`Sequence[int]`): numbers of rows, from 0.
        id_column (`str`, *optional*): column of ids.
        image_column (`str`, *optional*): column of photos.
    """
    if not len(rows):
        return []
    chosen = dataset.with_format(None).select(rows)
    counted = [f"row {row}" for row in rows]
    sources = chosen[SOURCE_ROW][:] if SOURCE_ROW in chosen.column_names else counted
    ids = column_texts(chosen, id_column) if id_column in chosen.column_names else [None] * len(rows)
    paths = _paths(chosen, image_column) if image_column in chosen.column_names else [None] * len(rows)
    return [_described(*place) for place in zip(sources, ids, paths, strict=True)]


def _with_source_rows(split: Dataset, name: str) -> Dataset:
    if SOURCE_ROW in split.column_names:
        return split
    places = pa.array([f"{name}[{row}]" for row in range(len(split))], pa.string())
    return split.add_column(SOURCE_ROW, places, new_fingerprint=Hasher.hash([split._fingerprint, SOURCE_ROW, name]))


def _paths(dataset: Dataset, column: str) -> list[str | None]:
    """The path of each row's first photo that has one."""
    views = ([view for view in row or [] if isinstance(view, dict)] for row in encoded_images(dataset, column))
    return [next((view["path"] for view in row if view.get("path")), None) for row in views]


def _described(source: str, product_id: str | None, path: str | None) -> str:
    details = [] if product_id is None or product_id == source else [f"id {product_id!r}"]
    details += [] if path is None or path.endswith(source) else [path]
    return f"{source} ({', '.join(details)})" if details else source
