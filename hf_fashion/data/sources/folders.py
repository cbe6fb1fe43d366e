"""Load a folder as a corpus: parquet files, feeds, or the photos themselves, none of them left out in silence."""

import glob
import logging
import os
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath

from datasets import ClassLabel, Dataset, DatasetDict, Features, Image, List, Value, load_dataset

from ..encoded_photos import photo_files
from ..feeds.product_feed import load_product_feeds
from .folder_listing import FolderListing, list_folder, split_of, summarise
from .image_column import decode_images, resolve_paths, with_plain_lists
from .parquet_errors import named_parquet_errors
from .source_rows import SOURCE_ROW


logger = logging.getLogger(__name__)

# Column that holds the path of each photo of a folder of photos.
FILE_NAME = "file_name"
METADATA = "metadata"
CONVERTED = "`hf-fashion convert` makes one of tar shards, feeds in XML and published sets"
EXPECTED = "photos, a product feed, parquet files, or a dataset written by save_to_disk"


def load_folder(
    folder: Path, image_column: str, require_files: bool = True, id_column: str | None = None
) -> DatasetDict:
    """Load the parquet files of a folder; without any, its feeds; without any, its photos. Log what is not read.

    Args:
        folder (`Path`): the folder.
        image_column (`str`): column of the photos of a feed.
        require_files (`bool`, *optional*, defaults to `True`): whether a missing photo of a feed is an error.
        id_column (`str`, *optional*): column of ids of a feed.

    Raises:
        ValueError: naming what is wrong: nothing to read, several feeds without splits in their names, files next to
            folders of splits.
        FileNotFoundError: naming lines and photos that a feed misses.
    """
    listing = list_folder(folder)
    if listing.tables:
        corpus, read = load_tables(_by_split(listing, _of_one_kind(listing)), image_column), listing.tables
    elif listing.feeds:
        corpus, read = _load_feeds(listing, image_column, require_files, id_column)
    elif listing.photos:
        corpus, read = _load_photos(listing), listing.photos
    else:
        held = f"it holds only {summarise(listing.others)}" if listing.others else "it is empty"
        raise ValueError(f"{folder} is no corpus ({EXPECTED}): {held}. {CONVERTED}")
    _log_unread(listing, read, corpus)
    return corpus


def load_tables(files: dict[str, list[Path]], image_column: str) -> DatasetDict:
    """Load parquet files.

    Args:
        files (`dict[str, list[Path]]`): split -> its files.
        image_column (`str`): the column of photos; where it holds paths, they are relative to the folder of the
            split's files, or else to that above all splits.

    Raises:
        ValueError: a file is damaged, or the files do not have the same columns.
    """
    # `datasets` takes paths for patterns, in which `shop [12]` is `shop 1` or `shop 2`.
    patterns = {name: [glob.escape(str(path)) for path in paths] for name, paths in files.items()}
    with named_parquet_errors([path for paths in files.values() for path in paths]):
        tables = load_dataset("parquet", data_files=patterns)
    folders = {name: Path(os.path.commonpath([path.parent for path in paths])) for name, paths in files.items()}
    above = Path(os.path.commonpath(folders.values()))
    resolved = {
        name: resolve_paths(with_plain_lists(split), image_column, *dict.fromkeys((folders[name], above)))
        for name, split in tables.items()
    }
    return DatasetDict({name: decode_images(split, image_column) for name, split in resolved.items()})


def _of_one_kind(listing: FolderListing) -> list[str]:
    """The parquet files, if all of them or none are named by their splits."""
    unnamed = [path for path in listing.tables if not split_of(path)]
    if unnamed and len(unnamed) < len(listing.tables):
        raise ValueError(
            f"{listing.folder} holds parquet files named by their splits, and others ({', '.join(unnamed[:10])}): "
            "name these by their splits too, or name one file as the corpus"
        )
    return listing.tables


def _load_feeds(
    listing: FolderListing, image_column: str, require_files: bool, id_column: str | None
) -> tuple[DatasetDict, list[str]]:
    feeds = _chosen_feeds(listing)
    metadata = all(PurePosixPath(feed).stem.lower() == METADATA for feed in feeds)
    column = FILE_NAME if metadata else image_column
    try:
        corpus = load_product_feeds(_by_split(listing, feeds), column, require_files, id_column)
    except ValueError as error:
        raise ValueError(
            f"{error} ({listing.folder} is read by {', '.join(feeds)}; if that is no feed, move it out of the folder)"
        ) from error
    return (_named_photos(corpus, listing) if metadata else corpus), feeds


def _chosen_feeds(listing: FolderListing) -> list[str]:
    """The feeds of splits, or the `metadata` of photos, or the only feed there is."""
    top = [feed for feed in listing.feeds if "/" not in feed] or listing.feeds
    metadata = [feed for feed in listing.feeds if PurePosixPath(feed).stem.lower() == METADATA]
    chosen = [feed for feed in top if split_of(feed)] or metadata or top
    if len(chosen) > 1 and not metadata and not all(map(split_of, chosen)):
        raise ValueError(
            f"{listing.folder} holds several feeds ({', '.join(chosen[:10])}): name one of them as the corpus, or "
            "name them by their splits, as train.csv and validation.csv"
        )
    return chosen


def _named_photos(corpus: DatasetDict, listing: FolderListing) -> DatasetDict:
    """The photos of `metadata` files, whose column `file_name` has paths below the file's folder, in their splits."""
    named = {}
    for name, split in corpus.items():
        paths = [path and _below(path, listing.folder) for path in _paths_of(split, FILE_NAME)]
        named[name] = split.rename_column(FILE_NAME, "image").add_column(FILE_NAME, paths)
    depth = _split_depth(listing, listing.photos)
    if len(named) > 1 or not depth:
        return DatasetDict(named)
    (photos,) = named.values()  # one file for the photos of several splits
    rows: dict[str, list[int]] = {}
    for row, path in enumerate(photos[FILE_NAME][:]):
        rows.setdefault(_split_at(path or "", depth), []).append(row)
    return DatasetDict({name: photos.select(chosen) for name, chosen in rows.items()})


def _paths_of(photos: Dataset, column: str) -> list[str | None]:
    cells = photos.with_format("arrow").select_columns(column)[:][column].to_pylist()
    return [cell and cell["path"] for cell in cells]


def _below(path: str, folder: Path) -> str:
    return Path(os.path.relpath(path, folder)).as_posix()


def _load_photos(listing: FolderListing) -> DatasetDict:
    splits = _by_split(listing, listing.photos)
    inner = {name: [_below(str(path), listing.folder) for path in paths] for name, paths in splits.items()}
    labels = _labels([path for paths in inner.values() for path in paths], _split_depth(listing, listing.photos))
    return DatasetDict({name: _photos(listing.folder, paths, labels) for name, paths in inner.items()})


def _photos(folder: Path, paths: Sequence[str], labels: dict[str, str]) -> Dataset:
    columns = {"image": [str(folder / path) for path in paths], FILE_NAME: list(paths)}
    features = {"image": Image(), FILE_NAME: Value("string")}
    if labels:
        columns["label"] = [labels[path] for path in paths]
        features["label"] = ClassLabel(names=sorted(set(labels.values())))
    columns[SOURCE_ROW], features[SOURCE_ROW] = list(paths), Value("string")
    return Dataset.from_dict(columns, features=Features(features))


def _labels(paths: Sequence[str], depth: int) -> dict[str, str]:
    """The folder of each photo, where there are several and all photos are equally deep."""
    parts = {path: path.split("/")[depth:-1] for path in paths}
    folders = {below[-1] if below else "" for below in parts.values()}
    if len(folders) < 2 or len({len(below) for below in parts.values()}) > 1:
        return {}
    return {path: below[-1] for path, below in parts.items()}


def _by_split(listing: FolderListing, paths: Sequence[str]) -> dict[str, list[Path]]:
    """Paths by the folders that are splits; feeds and parquet files by their own names first."""
    photos = set(listing.photos)
    own = {path: split_of(path) for path in paths if path not in photos}
    depth = _split_depth(listing, [path for path in paths if not own.get(path)])
    splits: dict[str, list[Path]] = {}
    for path in paths:
        splits.setdefault(own.get(path) or _split_at(path, depth), []).append(listing.folder / path)
    return splits


def _split_at(path: str, depth: int) -> str:
    parts = path.split("/")
    return (split_of(parts[depth - 1]) if 0 < depth < len(parts) else None) or "train"


def _split_depth(listing: FolderListing, paths: Sequence[str]) -> int:
    """Return how deep the folders of splits are, counted from 1; 0 if there are none.

    One folder that is called like a split (`test/`) among others (`dress/`, `coat/`) holds photos like these.
    """
    parts = [path.split("/")[:-1] for path in paths]
    depth = 0
    while len(tops := _folders_at(parts, depth)) == 1 and (top := min(tops)) and (top == "data" or not split_of(top)):
        depth += 1
    splits = sorted(top for top in tops if split_of(top))
    others = sorted(tops - set(splits))
    if len(splits) > 1 and others:
        names = ", ".join(f"{name}/" if name else "the folder itself" for name in others[:5])
        raise ValueError(
            f"{listing.folder} has folders of splits ({', '.join(splits)}) and other files next to them, in {names}: "
            "move these into one of the splits, or rename the folders of the splits"
        )
    if splits and others:
        logger.warning("%s: what is in %s/ is read together with the others, as one split", listing.folder, splits[0])
    return depth + 1 if splits and not others else 0


def _folders_at(parts: Sequence[Sequence[str]], depth: int) -> set[str]:
    """The folders at a depth, and `""` for files that are not in one."""
    return {folders[depth] if len(folders) > depth else "" for folders in parts}


def _log_unread(listing: FolderListing, read: Sequence[str], corpus: DatasetDict) -> None:
    unread = sorted({*listing.others, *listing.feeds, *listing.tables} - set(read))
    if unread:
        logger.warning("%s: not read: %s", listing.folder, summarise(unread))
    if read is listing.photos or not listing.photos:
        return
    used = {os.path.abspath(path) for split in corpus.values() for path in _files_of(split)}
    unnamed = [path for path in listing.photos if os.path.abspath(listing.folder / path) not in used]
    if unnamed:
        logger.warning("%s: photos that no row of %s names: %s", listing.folder, ", ".join(read), summarise(unnamed))


def _files_of(split: Dataset) -> Iterator[str]:
    for column, feature in split.features.items():
        if isinstance(feature.feature if isinstance(feature, List) else feature, Image):
            yield from photo_files(split, column)
