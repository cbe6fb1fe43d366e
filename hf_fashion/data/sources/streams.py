"""Refuse streaming datasets where a table is needed, and save the first rows of one as a corpus."""

import os
from collections.abc import Iterator, Mapping
from io import BytesIO
from operator import attrgetter
from pathlib import Path
from typing import Any

import PIL.Image
import pyarrow as pa
import pyarrow.parquet as pq
from datasets import Features, IterableDataset, IterableDatasetDict
from datasets.features.features import require_storage_embed
from datasets.table import embed_table_storage
from tqdm.auto import tqdm

from ...files import file_written_aside, folder_written_aside
from ..encoded_photos import is_url
from .image_column import ARCHIVES, holds_photos
from .row_groups import row_groups


ROWS_AT_ONCE = 20  # with the bytes of their photos in memory, several times
READ_FROM = ("hf", *ARCHIVES)  # where a streaming dataset of the Hub has its files: there, and in archives there


def require_tables(corpus: Mapping[str, Any]) -> None:
    """Raise if a split of a corpus is a streaming dataset.

    Args:
        corpus (`DatasetDict`): the splits.

    Raises:
        ValueError: naming the first streaming split, and what to do.
    """
    streams = [name for name, split in corpus.items() if isinstance(split, IterableDataset)]
    if streams:
        raise ValueError(
            f"split {streams[0]!r} is a streaming dataset, whose rows come once and in order. A corpus is a table: "
            "checks, splits and epochs look its rows up by their numbers. Load it without `streaming=True`, or save "
            "its first rows as a corpus with hf_fashion.data.sources.streams.save_stream(stream, output, rows)"
        )


def save_stream(
    stream: IterableDataset | IterableDatasetDict, output: str | Path, rows: int, progress: bool = True
) -> dict[str, int]:
    """Save the first rows of each split of a streaming dataset, with their photos, as a corpus for `load_corpus`.

    64 MB of photos are in memory at a time, or twenty rows. `stream.shuffle(seed=0, buffer_size=10_000)` draws the
    rows more evenly.

    Args:
        stream (`IterableDataset` or `IterableDatasetDict`): the rows, with features.
        output (`str` or `Path`): folder to create; it must not exist. It appears when it is complete.
        rows (`int`): how many rows of a split to save at most.
        progress (`bool`, *optional*, defaults to `True`): whether to show a progress bar.

    Returns:
        `dict[str, int]`: split -> number of rows.

    Raises:
        ValueError: `rows` is below 1, `output` exists, a split has no rows or does not state its features, or names a
            URL of another place than the Hub, or a file of this machine that is no photo.
    """
    output = Path(output)
    if rows < 1:
        raise ValueError(f"`rows` must be at least 1, got {rows}")
    if output.exists():
        raise ValueError(f"`output` {output} exists already: remove it, or choose another folder")
    splits = stream if isinstance(stream, dict) else {"train": stream}
    for name, split in splits.items():
        if split.features is None:
            raise ValueError(f"split {name!r} does not state its features: give them with stream.cast(Features(...))")
    with folder_written_aside(output) as aside:
        return {name: _save(split, aside / f"{name}.parquet", rows, progress) for name, split in splits.items()}


def _save(split: IterableDataset, path: Path, rows: int, progress: bool) -> int:
    count = 0
    with (
        file_written_aside(path) as aside,
        pq.ParquetWriter(aside, split.features.arrow_schema) as writer,
        tqdm(total=rows, desc=path.stem, leave=False, disable=not progress) as bar,
    ):
        for group in row_groups(_tables(split, rows, bar), attrgetter("nbytes")):
            writer.write_table(pa.concat_tables(group))
            count += sum(map(len, group))
    if not count:
        raise ValueError(f"split {path.stem!r} of the stream has no rows")
    return count


def _tables(split: IterableDataset, rows: int, bar: tqdm) -> Iterator[pa.Table]:
    """The first rows with their photos, some at a time."""
    count = 0
    for table in split.take(rows).with_format("arrow").iter(ROWS_AT_ONCE):
        table = table.cast(split.features.arrow_schema)
        _require_files(table, split.features, count)
        embedded = embed_table_storage(table)
        _require_photos(table, embedded, split.features, count)
        count += len(table)
        bar.update(len(table))
        yield embedded


def _require_files(table: pa.Table, features: Features, first: int) -> None:
    """Raise before a file is read that is on another machine than the Hub's, or that may never end.

    A dataset names its files itself, and whoever reads them would ask the servers that its author chose.
    """
    for column in filter(lambda name: require_storage_embed(features[name]), features):
        for row, cell in enumerate(table[column].to_pylist(), first):
            for view in _views(cell):
                if view["bytes"] is None and view["path"] is not None:
                    _require_file(view["path"], f"row {row}: {view['path']!r} in column {column!r}")


def _require_file(path: str, name: str) -> None:
    for part in path.split("::"):  # a file in an archive, and the archive
        if is_url(part) and part.partition("://")[0] not in READ_FROM:
            raise ValueError(f"{name} is a URL of another place than the Hub: only files there, and here, are read")
        if not is_url(part) and os.path.exists(part) and not os.path.isfile(part):
            raise ValueError(f"{name} is no file")


def _require_photos(table: pa.Table, embedded: pa.Table, features: Features, first: int) -> None:
    """Raise where a file came along that is no photo: a dataset of strangers may name any file of this machine."""
    for column in filter(lambda name: holds_photos(features[name]), features):
        cells = zip(table[column].to_pylist(), embedded[column].to_pylist(), strict=True)
        for row, (named, read) in enumerate(cells, first):
            for view, photo in zip(_views(named), _views(read), strict=True):
                if view["bytes"] is None and photo["bytes"] is not None:
                    _require_photo(photo["bytes"], f"row {row}: {view['path']!r} in column {column!r}")


def _views(cell: Any) -> Iterator[dict]:
    """The stored files in a cell: one, or those in its lists and fields."""
    if isinstance(cell, dict) and cell.keys() == {"bytes", "path"}:
        yield cell
    elif isinstance(cell, (dict, list)):
        for inner in cell.values() if isinstance(cell, dict) else cell:
            yield from _views(inner)


def _require_photo(content: bytes, name: str) -> None:
    try:
        PIL.Image.open(BytesIO(content))
    except Exception as error:  # PIL raises SyntaxError and others too
        raise ValueError(f"{name} is no photo") from error
