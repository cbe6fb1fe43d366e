"""List what a folder holds, in a fixed order: photos, feeds, parquet files, and what is not read."""

import os
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from ...images import PHOTO_ENDINGS
from ..feeds.product_feed import is_feed


SPLIT_NAMES = ("train", "validation", "valid", "val", "dev", "test", "data", "query", "gallery")
# More endings of photos. Some are of formats that Pillow may not open here: the check of photos names these then.
MORE_PHOTOS = ".apng .dib .ico .j2k .jfif .jp2 .jpe .jpx .pbm .pcx .pgm .pnm .ppm .psd .svg .tga"
CAMERA_PHOTOS = ".arw .cr2 .cr3 .dng .heic .heif .jxl .nef .orf .rw2"
PHOTOS = (*PHOTO_ENDINGS, *MORE_PHOTOS.split(), *CAMERA_PHOTOS.split())
# Made by systems next to the files of people, like files whose name begins with a dot.
HIDDEN_NAMES = ("__macosx", "@eadir", "thumbs.db", "desktop.ini")
SHOWN = 3


@dataclass(frozen=True)
class FolderListing:
    """The files of a folder, as sorted paths below it.

    Args:
        folder (`Path`): the folder.
        photos (`list[str]`): by their endings.
        feeds (`list[str]`): CSV and JSON files.
        tables (`list[str]`): parquet files.
        others (`list[str]`): all other files, hidden ones included.
    """

    folder: Path
    photos: list[str]
    feeds: list[str]
    tables: list[str]
    others: list[str]


def list_folder(folder: Path) -> FolderListing:
    """List the files of a folder and its sub-folders; links are followed.

    Args:
        folder (`Path`): the folder.

    Raises:
        ValueError: the name of a file is not UTF-8.
    """
    kinds: dict[str, list[str]] = defaultdict(list)
    for path in sorted(_files(folder)):
        kinds[_kind(path)].append(path)
    names = ("photos", "feeds", "tables", "others")
    return FolderListing(folder, **{name: kinds[name] for name in names})


def split_of(path: str | Path) -> str | None:
    """Return the split that the name of a file or folder begins with, or `None`.

    Args:
        path (`str` or `Path`): such as `train-00000-of-00002.parquet`, of the split `train`.
    """
    words = PurePosixPath(path).stem.replace("_", "-").replace(".", "-").lower().split("-")
    return words[0] if words[0] in SPLIT_NAMES else None


def summarise(paths: Sequence[str]) -> str:
    """Count files by their endings, with the first of each: `"2 .txt (a.txt, b.txt), 1 hidden (.DS_Store)"`.

    Args:
        paths (`Sequence[str]`): at least one path below a folder.
    """
    by_ending: dict[str, list[str]] = defaultdict(list)
    for path in paths:
        ending = PurePosixPath(path).suffix.lower() or "without ending"
        by_ending["hidden" if _is_hidden(path) else ending].append(path)
    return ", ".join(
        f"{len(found):,} {ending} ({', '.join(found[:SHOWN])}{', ...' if len(found) > SHOWN else ''})"
        for ending, found in sorted(by_ending.items())
    )


def _files(folder: Path) -> Iterator[str]:
    for place, folders, names in os.walk(folder, followlinks=True):
        here = os.path.realpath(place)
        # A link to a folder that it is in would be followed for ever.
        folders[:] = [name for name in folders if not _holds(os.path.realpath(os.path.join(place, name)), here)]
        for name in names:
            path = os.path.relpath(os.path.join(place, name), folder)
            if any("\udc80" <= letter <= "\udcff" for letter in path):  # how Python keeps bytes that are no text
                raise ValueError(f"{folder}: the name of the file {path!r} is not UTF-8: rename it")
            yield Path(path).as_posix()


def _holds(folder: str, place: str) -> bool:
    return place == folder or place.startswith(os.path.join(folder, ""))


def _kind(path: str) -> str:
    ending = PurePosixPath(path).suffix.lower()
    if _is_hidden(path):
        return "others"
    if ending in PHOTOS:
        return "photos"
    if ending == ".parquet":
        return "tables"
    return "feeds" if is_feed(Path(path)) else "others"


def _is_hidden(path: str) -> bool:
    parts = path.lower().split("/")
    return any(part.startswith(".") or part in HIDDEN_NAMES for part in parts)
