"""Loads a corpus by its name, with the columns that a gallery reads."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from datasets import Dataset, DatasetDict

from ...data.column_map import ColumnMap, column_map_for, find_for
from ...data.loading import load_corpus
from ...data.sources.folders import FILE_NAME
from ...messages import did_you_mean
from .column_types import require_distinct_names


def load_catalogue(
    source: str | Path,
    split: str | None = None,
    id_column: str | None = None,
    image_column: str | None = None,
    metadata_columns: Sequence[str] | None = None,
    column_map: str | None = None,
    require_files: bool = True,
) -> dict[str, Any]:
    """Load a catalogue as the arguments of [`Gallery.from_dataset`] that name what is embedded.

    ```python
    Gallery.from_dataset(**load_catalogue("photos"), model=model, processor=processor, uri="my_gallery")
    ```

    Args:
        source (`str` or `Path`): as for `load_corpus`. In a plain folder of photos the id of a photo is its path in
            the folder.
        split (`str`, *optional*): which split. Default: the only one.
        id_column (`str`, *optional*): column of ids. Default: the column map's `product_id`, else `file_name`.
        image_column (`str`, *optional*): column of photos. Default: the column map's.
        metadata_columns (`Sequence[str]`, *optional*): columns for filters and results. Default: the tags of the
            column map.
        column_map (`str`, *optional*): a YAML file, or the name of a shipped map. Default: the one shipped for the
            source, if there is one.
        require_files (`bool`, *optional*, defaults to `True`): whether a feed's missing photo is an error here, or
            left to the gallery.

    Returns:
        `dict`: `dataset`, `id_column`, `image_column` and `metadata_columns`. The gallery checks
        whether the columns exist.

    Raises:
        FileNotFoundError: there is no such source or column map.
        ValueError: `split` is unknown or missing, `metadata_columns` is a text or names a column twice, or source or
            column map cannot be read.
    """
    require_distinct_names(metadata_columns or [])
    shipped = find_for(str(source)) if column_map is None else column_map_for(column_map, str(source))
    columns = shipped or ColumnMap()
    image_column, id_column = image_column or columns.image, id_column or columns.product_id or FILE_NAME
    corpus = load_corpus(source, image_column=image_column, id_column=id_column, require_files=require_files)
    return {
        "dataset": _one_split(corpus, split),
        "id_column": id_column,
        "image_column": image_column,
        "metadata_columns": list(columns.tags.values()) if metadata_columns is None else list(metadata_columns),
    }


def _one_split(corpus: DatasetDict, split: str | None) -> Dataset:
    if split is None and len(corpus) == 1:
        (split,) = corpus
    if split is None:
        raise ValueError(f"`split` must be given where there are several, there are {', '.join(corpus)}")
    if split not in corpus:
        raise ValueError(f"no split {split!r}{did_you_mean(split, corpus)}, there are {', '.join(corpus)}")
    return corpus[split]
