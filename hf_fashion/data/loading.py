"""Load a corpus of any kind: Hub id, folder, parquet, product feed, the generated corpus."""

import os
from pathlib import Path
from typing import Any

from datasets import Dataset, DatasetDict, Image, List, Value, load_dataset, load_from_disk

from .feeds.product_feed import FEED_SUFFIXES, is_feed, load_product_feeds


GENERATED = "generated"
# Column that holds the path of each photo of a folder of images.
FILE_NAME = "file_name"
SPLIT_NAMES = ("train", "validation", "valid", "val", "dev", "test", "data", "query", "gallery")


def load_corpus(
    source: str | Path,
    *,
    image_column: str = "image",
    config_name: str | None = None,
    revision: str | None = None,
    require_files: bool = True,
    generated: dict[str, Any] | None = None,
) -> DatasetDict:
    """
    Load a corpus with its own splits and columns.

    Args:
        source (`str` or `Path`): what to load. An existing path is preferred to a Hub id of the same name.
            - `"generated"`: the procedural corpus;
            - a folder written by `save_to_disk`;
            - a parquet file, or a folder of them whose names begin with the split (`train.parquet`,
              `validation-00000-of-00002.parquet`), there or in a sub-folder `data`;
            - a product feed (CSV, TSV, JSON lines, JSON), or a folder with `train.csv` and `validation.csv`. Several
              files of one split (`train-1.csv`, `train-2.csv`) follow each other and must have the same columns;
            - a folder of images (`imagefolder` of `datasets`: a `metadata.csv` next to them, or the splits as
              sub-folders, `train/dress/1.jpg`); the column `file_name` holds each photo's path in the folder;
            - anything else: the id of a dataset on the Hub.
        image_column (`str`, *optional*, defaults to `"image"`): column of the photos, decoded where it holds paths or
            bytes.
        config_name (`str`, *optional*): configuration of a Hub dataset.
        revision (`str`, *optional*): revision of a Hub dataset.
        require_files (`bool`, *optional*, defaults to `True`): whether a feed's missing photo is an error here, or
            left to `check_corpus`.
        generated (`dict`, *optional*): arguments of `make_generated_corpus`, for the source `"generated"` only.

    Returns:
        `DatasetDict`. A single file becomes the split its name begins with, else `train`.

    Raises:
        FileNotFoundError: if a source that looks like a path does not exist, or photos of a feed are missing.
        ValueError: if the file is of another kind, the source does not take the options, or feeds of one split have
            different columns.
    """
    if generated and source != GENERATED:
        raise ValueError(f"`generated` holds options of the source {GENERATED!r}; the source is {str(source)!r}")
    if source == GENERATED:
        from .generated.corpus import make_generated_corpus

        return make_generated_corpus(**(generated or {}))
    path = Path(source).expanduser()
    if path.is_dir():
        corpus = _load_folder(path, image_column, require_files)
    elif path.is_file():
        corpus = DatasetDict({split_of(path) or "train": _load_file(path, image_column, require_files)})
    elif _looks_like_path(str(source)):
        raise FileNotFoundError(f"no corpus at {path} (relative to {Path.cwd()})")
    else:
        corpus = load_dataset(str(source), config_name, revision=revision)
    return DatasetDict({name: decode_images(split, image_column) for name, split in corpus.items()})


def split_of(path: Path) -> str | None:
    """Return the split that a file's name begins with (`train-00000-of-00002.parquet` -> `train`), or `None`."""
    words = path.stem.replace("_", "-").replace(".", "-").lower().split("-")
    return words[0] if words[0] in SPLIT_NAMES else None


def decode_images(dataset: Dataset, image_column: str) -> Dataset:
    """Cast a column of paths, bytes, `{bytes, path}` or undecoded images to `Image` (or a list of them)."""
    feature = dataset.features.get(image_column)
    if isinstance(feature, List) and _holds_encoded(feature.feature):
        return dataset.cast_column(image_column, List(Image()))
    return dataset.cast_column(image_column, Image()) if _holds_encoded(feature) else dataset


def _holds_encoded(feature: Any) -> bool:
    if isinstance(feature, Image):
        return not feature.decode
    if isinstance(feature, dict):
        return set(feature) == {"bytes", "path"}
    return isinstance(feature, Value) and feature.dtype in ("string", "binary", "large_string", "large_binary")


def _load_folder(folder: Path, image_column: str, require_files: bool) -> DatasetDict:
    if (folder / "dataset_dict.json").is_file():
        return load_from_disk(folder)
    if (folder / "state.json").is_file():
        return DatasetDict(train=load_from_disk(folder))
    files = sorted(folder.glob("*.parquet")) or sorted((folder / "data").glob("*.parquet"))
    if files:
        return load_dataset("parquet", data_files=_by_split(files))
    feeds = [path for path in sorted(folder.iterdir()) if is_feed(path) and split_of(path)]
    if feeds:
        return load_product_feeds(_by_split(feeds), image_column, require_files)
    corpus = load_dataset("imagefolder", data_dir=str(folder), data_files=_photos_of(folder))
    return DatasetDict({name: _with_file_names(split, folder) for name, split in corpus.items()})


def _photos_of(folder: Path) -> str | None:
    """Take all files if no sub-folder is a split: `imagefolder` takes `val-dress.jpg` for one and drops the others."""
    return None if any(path.is_dir() and split_of(path) for path in folder.iterdir()) else "**"


def _with_file_names(photos: Dataset, folder: Path) -> Dataset:
    if "image" not in photos.column_names:  # a `metadata.csv` has named the column of photos, and has ids
        return photos
    paths = photos.select_columns("image").cast_column("image", Image(decode=False))[:]["image"]
    return photos.add_column(FILE_NAME, [Path(os.path.relpath(path["path"], folder)).as_posix() for path in paths])


def _by_split(files: list[Path]) -> dict[str, list[str]]:
    splits: dict[str, list[str]] = {}
    for path in files:
        splits.setdefault(split_of(path) or "train", []).append(str(path))
    return splits


def _load_file(path: Path, image_column: str, require_files: bool) -> Dataset:
    if path.suffix == ".parquet":
        return load_dataset("parquet", data_files=str(path), split="train")
    if is_feed(path):
        return load_product_feeds({"train": [path]}, image_column, require_files)["train"]
    raise ValueError(f"{path}: a corpus file is .parquet or a product feed ({', '.join(FEED_SUFFIXES)})")


def _looks_like_path(source: str) -> bool:
    return (
        source.startswith((".", "/", "~"))
        or source.count("/") > 1
        or source.lower().endswith((".parquet", *FEED_SUFFIXES))
    )
