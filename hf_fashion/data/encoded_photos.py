"""Read the encoded photos of a corpus from Arrow without decoding them, and check whether they decode."""

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import pyarrow as pa
from datasets import Dataset
from datasets.utils.file_utils import xopen
from tqdm.auto import tqdm

from ..files import similar_file
from ..images import check_photo, why_unreadable


CHECKING_THREADS = min(8, os.cpu_count() or 1)
ROWS_AT_ONCE = 64


@dataclass(frozen=True)
class BadImage:
    """A row (counted from 0) whose photo cannot be read, and why."""

    row: int
    reason: str


def encoded_images(dataset: Dataset, column: str, batch_size: int = 1000) -> Iterator[list[dict | None]]:
    """Yield the views of each row as `{"bytes", "path"}` dicts (`None` for a null); a row with one photo has one view.

    Args:
        dataset (`Dataset`): one split.
        column (`str`): its image column: `Image` or a list of images.
        batch_size (`int`, *optional*, defaults to 1000): rows read together.
    """
    stored = dataset.select_columns(column).with_format("arrow")
    for start in range(0, len(dataset), batch_size):
        for value in stored[start : start + batch_size][column]:
            cell = value.as_py()  # one by one: the bytes of many photos would fill the memory
            yield cell if isinstance(cell, list) else [cell]


def photo_files(dataset: Dataset, column: str, batch_size: int = 10_000) -> Iterator[str]:
    """Yield the path of every view that the dataset stores as a path, not as bytes; no photo is read.

    Args:
        dataset (`Dataset`): one split.
        column (`str`): its image column: `Image` or a list of images.
        batch_size (`int`, *optional*, defaults to 10000): rows read together.
    """
    stored = dataset.select_columns(column).with_format("arrow")
    for start in range(0, len(dataset), batch_size):
        for views in stored[start : start + batch_size][column].chunks:
            while not pa.types.is_struct(views.type):
                views = views.flatten()
            paths = views.filter(views.field("bytes").is_null()).field("path")
            yield from paths.drop_null().to_pylist()


def is_url(path: str) -> bool:
    """Return whether a path is a URL, as of `https` or `hf`, or of a file in one (`zip://1.jpg::https://...`).

    Args:
        path (`str`): a path.
    """
    scheme, separator, _ = path.partition("://")
    return bool(separator) and scheme.replace("+", "").isalnum()


def read_bytes(view: dict | None) -> bytes:
    """Return the encoded photo of a view. A URL, which only a dataset of the Hub can have, is fetched by `datasets`.

    Args:
        view (`dict`, *optional*): as [`encoded_images`] yields it.

    Raises:
        ValueError: if the view is null.
        OSError: if its file cannot be read or fetched.
    """
    if view is None or (view.get("bytes") is None and view.get("path") is None):
        raise ValueError("no image")
    if view.get("bytes") is not None:
        return view["bytes"]
    if not is_url(view["path"]):
        return _read_file(Path(view["path"]))
    try:
        with xopen(view["path"], "rb") as file:
            return file.read()
    except Exception as error:  # every file system of fsspec has its own
        raise OSError(f"{view['path']} cannot be fetched: {error}") from error


def verify_images(dataset: Dataset, column: str, name: str = "", first_view_only: bool = False) -> list[BadImage]:
    """Decode every photo fully (a truncated file opens, but does not load) and list the rows that fail.

    Args:
        dataset (`Dataset`): one split.
        column (`str`): its image column: `Image` or a list of images.
        name (`str`, *optional*): name of the split, for the progress bar.
        first_view_only (`bool`, *optional*, defaults to `False`): whether only the first photo of each row counts.

    Returns:
        `list[BadImage]`: at most one a row, in row order.
    """

    def reason(views: list[dict | None] | None) -> str | None:
        checked = (views or [])[:1] if first_view_only else views or []
        for number, view in enumerate(checked, 1):
            if (found := _reason(view)) is not None:
                return f"photo {number} of {len(views)}{_named(view)}: {found}" if len(views) > 1 else found
        return None if checked else "no image"

    bad = []
    rows = iter(encoded_images(dataset, column))
    with (
        tqdm(total=len(dataset), desc=f"{name or 'image'} check", leave=False) as bar,
        ThreadPoolExecutor(CHECKING_THREADS) as threads,
    ):
        while part := list(islice(rows, ROWS_AT_ONCE)):
            reasons = enumerate(threads.map(reason, part), bar.n)
            bad += [BadImage(row, found) for row, found in reasons if found is not None]
            bar.update(len(part))
    return bad


def _read_file(path: Path) -> bytes:
    if path.exists() and not (path.is_file() or path.is_dir()):
        raise OSError(f"{path} is no file")  # but a device, say, which may never end
    return path.read_bytes()


def _named(view: dict | None) -> str:
    path = (view or {}).get("path")
    return f" ({path})" if path else ""


def _reason(view: dict | None) -> str | None:
    try:
        check_photo(read_bytes(view))
    except FileNotFoundError as error:
        return f"{why_unreadable(error)}{similar_file(view['path'])}"
    except Exception as error:  # PIL raises SyntaxError, struct.error and others on broken files, not only OSError
        return why_unreadable(error)
    return None
