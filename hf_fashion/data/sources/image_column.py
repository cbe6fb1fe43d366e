"""Make the image column of a dataset decode to photos, whatever it holds: paths, bytes or images."""

import os
from pathlib import Path
from typing import Any

import datasets
import pyarrow as pa
from datasets import Dataset, DatasetInfo, Features, Image, LargeList, List, Value
from huggingface_hub.constants import HF_HUB_CACHE

from ..encoded_photos import encoded_images, is_url, photo_files
from .source_rows import name_sources


ARCHIVES = ("bz2", "gzip", "lz4", "xz", "zip", "zstd")  # how `datasets` names a file in one: "zip://1.jpg::URL"
TEXT = ("string", "large_string")
BYTES = ("binary", "large_binary")


def decode_images(dataset: Dataset, image_column: str) -> Dataset:
    """Cast a column of paths, bytes, `{bytes, path}` or undecoded images to `Image` (or a list of them).

    Args:
        dataset (`Dataset`): rows of a corpus.
        image_column (`str`): the column; a dataset without it is returned as it is.
    """
    feature = dataset.features.get(image_column)
    if isinstance(feature, List) and _holds_encoded(feature.feature):
        return dataset.cast_column(image_column, List(Image()))
    return dataset.cast_column(image_column, Image()) if _holds_encoded(feature) else dataset


def resolve_paths(dataset: Dataset, image_column: str, *folders: Path) -> Dataset:
    """Make a column of relative paths, or of lists of them, relative to a folder, as those of a feed are.

    Args:
        dataset (`Dataset`): rows of parquet files.
        image_column (`str`): the column.
        folders (`Path`): the folder of the files, then others; a path is relative to the first one that has its file,
            and to the folder of the files where none has.
    """
    feature = dataset.features.get(image_column)
    several = isinstance(feature, List)
    kind = feature.feature if several else feature
    if not isinstance(kind, Value) or kind.dtype not in TEXT:
        return dataset

    def resolved(path: str | None) -> str | None:
        if not path or is_url(path):
            return path
        own, *others = (os.path.join(folder, path) for folder in folders)
        if others and not os.path.exists(own):  # of one folder nothing is looked up: there may be 100,000 paths
            return next(filter(os.path.exists, others), own)
        return own

    cells = dataset[image_column][:]
    cells = [cell and list(map(resolved, cell)) for cell in cells] if several else list(map(resolved, cells))
    table = dataset.with_format("arrow")[:]  # it holds paths and no photos, so it is small
    table = table.set_column(table.column_names.index(image_column), image_column, pa.array(cells, feature.pa_type))
    return Dataset(table, info=DatasetInfo(features=dataset.features))


def with_plain_lists(dataset: Dataset) -> Dataset:
    """Cast columns of large lists, as polars writes them, to lists.

    Args:
        dataset (`Dataset`): rows of parquet files.
    """
    large = {name: List(kind.feature) for name, kind in dataset.features.items() if isinstance(kind, LargeList)}
    return dataset.cast(Features({**dataset.features, **large})) if large else dataset


def refuse_urls(dataset: Dataset, image_column: str) -> None:
    """Raise if photos of a local corpus are URLs: `datasets` would fetch them, of whichever machine they name.

    Args:
        dataset (`Dataset`): rows of local files.
        image_column (`str`): the column, as [`decode_images`] leaves it.

    Raises:
        ValueError: naming the first row.
    """
    if not holds_photos(dataset.features.get(image_column)):
        return
    if not any(map(is_url, photo_files(dataset, image_column))):
        return
    for row, views in enumerate(encoded_images(dataset, image_column)):
        paths = [view["path"] for view in views or () if view and view["bytes"] is None and view["path"]]
        url = next(filter(is_url, paths), None)
        if url is not None:
            (place,) = name_sources(dataset, [row])
            raise ValueError(
                f"{place}: {url!r} in column {image_column!r} is a URL. Photos are not downloaded: download them and "
                "write their paths, or their bytes, into the column"
            )


def require_own_photos(dataset: Dataset, image_column: str, source: str) -> None:
    """Raise if photos of a dataset on the Hub are other files of this machine, or URLs of other places.

    A dataset names its photos itself, and whoever reads them would read what its author chose.

    Args:
        dataset (`Dataset`): its rows.
        image_column (`str`): the column, as [`decode_images`] leaves it.
        source (`str`): its id.

    Raises:
        ValueError: naming the first photo.
    """
    if not holds_photos(dataset.features.get(image_column)):
        return
    folders = [Path(folder).resolve() for folder in (datasets.config.HF_DATASETS_CACHE, HF_HUB_CACHE)]
    for path in photo_files(dataset, image_column):
        if is_url(path):
            *inner, place = path.split("::")
            is_own = place.startswith((f"hf://datasets/{source}/", f"hf://datasets/{source}@"))
            is_own = is_own and all(part.partition("://")[0] in ARCHIVES for part in inner)
        else:
            is_own = any(Path(path).resolve().is_relative_to(folder) for folder in folders)
        if not is_own:
            raise ValueError(
                f"the dataset {source!r} names a photo {path!r} in column {image_column!r}, which is no file of it: "
                "nothing but its own photos is read"
            )


def holds_photos(feature: Any) -> bool:
    """Return whether a column holds photos, or lists of them.

    Args:
        feature (`Any`): its `datasets` feature.
    """
    return isinstance(feature.feature if isinstance(feature, List) else feature, Image)


def _holds_encoded(feature: Any) -> bool:
    if isinstance(feature, Image):
        return not feature.decode
    if isinstance(feature, dict):
        return set(feature) == {"bytes", "path"}
    return isinstance(feature, Value) and feature.dtype in (*TEXT, *BYTES)
