"""Read Fashion-IQ: photos by id, and queries of a photo and what to change in it."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from datasets import List, Value

from ...messages import listed
from ..sources.source_rows import SOURCE_ROW
from .corpus_rows import Splits
from .source_files import find_file, find_files, folder_of, photos_by_name, read_json, require_objects


SPLITS = {"train": "train", "val": "validation", "test": "test"}
GALLERY_FILE = re.compile(r"split\.(\w+)\.(train|val|test)\.json")
FEATURES = {"categories": List(Value("string"))}


@dataclass(frozen=True)
class ChangeQuery:
    """Query of Fashion-IQ: the target looks like the candidate, changed as the captions describe.

    Args:
        candidate (`str`): id of the photo that is given.
        target (`str`, *optional*): id of the photo to find; `None` in the test split, whose answers are not published.
        captions (`tuple[str, ...]`): what is different about the target, by several people.
    """

    candidate: str
    target: str | None
    captions: tuple[str, ...]


@dataclass(frozen=True)
class FashionIQSplit:
    """Queries of one category of Fashion-IQ, and the photos that they search.

    Args:
        category (`str`): `"dress"`, `"shirt"` or `"toptee"`.
        split (`str`): `"train"`, `"validation"` or `"test"`.
        queries (`tuple[ChangeQuery, ...]`): in the order of the file.
        gallery_ids (`tuple[str, ...]`): ids of the photos to search, each once.
    """

    category: str
    split: str
    queries: tuple[ChangeQuery, ...]
    gallery_ids: tuple[str, ...]


def read_fashion_iq_queries(folder: str | Path, category: str, split: str = "validation") -> FashionIQSplit:
    """Read the queries and the gallery of one category from `cap.*.json` and `split.*.json`.

    Args:
        folder (`str` or `Path`): holds the files, or folders with them (`captions/`, `image_splits/`).
        category (`str`): `"dress"`, `"shirt"` or `"toptee"`.
        split (`str`, *optional*, defaults to `"validation"`): `"train"`, `"validation"` or `"test"`.

    Raises:
        FileNotFoundError: a file is missing.
        ValueError: naming file and query: it is not JSON, a query lacks what it needs, or its target is not in the
            gallery.
    """
    folder = Path(folder)
    if split not in SPLITS.values():
        raise ValueError(f"`split` must be one of {', '.join(SPLITS.values())}, got {split!r}")
    published = next(name for name, own in SPLITS.items() if own == split)
    gallery = _read_ids(find_file(folder, f"split.{category}.{published}.json"))
    path = find_file(folder, f"cap.{category}.{published}.json")
    needed = {"candidate": str, "captions": list} | ({} if split == "test" else {"target": str})
    queries = [
        ChangeQuery(query["candidate"], query.get("target"), tuple(query["captions"]))
        for query in require_objects(path, read_json(path), "query", needed)
    ]
    wrong = [
        f"query {number}"
        for number, query in enumerate(queries, 1)
        if not query.captions or not _are_texts(query.captions)
    ]
    if wrong:
        raise ValueError(listed(f"{path}: no captions, or some that are not text", wrong))
    _require_found(path, queries, gallery)
    return FashionIQSplit(category, split, tuple(queries), tuple(gallery))


def read_fashion_iq(source: Path, images: Path | None = None) -> Splits:
    """Read the photos of Fashion-IQ: a row for each photo of a split, with its categories.

    [`read_fashion_iq_queries`] reads the queries.

    Args:
        source (`Path`): holds `split.dress.train.json` and others, or folders with them.
        images (`Path`, *optional*): folder of photos, named by their ids. Default: `images` in the source.

    Raises:
        FileNotFoundError: there are no such files, or no folder of photos.
        ValueError: naming a file that is not a list of ids, or two photos of one id.
    """
    folder = images or folder_of(source) / "images"
    photos = photos_by_name(folder, with_ending=False)
    found: dict[str, dict[str, dict]] = {}
    for path in find_files(source, "split.*.json"):
        name = GALLERY_FILE.fullmatch(path.name)
        if name is None:
            raise ValueError(f"{path}: its name must be split.CATEGORY.train.json, or with val or test: rename it")
        rows = found.setdefault(SPLITS[name[2]], {})
        for number, photo_id in enumerate(_read_ids(path), 1):
            new = {"image": photos.get(photo_id, str(folder / f"{photo_id}.jpg")), "photo_id": photo_id}
            new |= {"categories": [], SOURCE_ROW: f"{path.name}, entry {number}"}
            rows.setdefault(photo_id, new)["categories"].append(name[1])
    return {split: list(found[split].values()) for split in SPLITS.values() if split in found}


def _are_texts(values: Iterable[Any]) -> bool:
    return all(isinstance(one, str) for one in values)


def _read_ids(path: Path) -> list[str]:
    ids = read_json(path)
    if not isinstance(ids, list) or not _are_texts(ids):
        raise ValueError(f"{path}: expected a list of ids of photos: is it another file?")
    seen: set[str] = set()
    twice = [f"entry {number}: {one!r}" for number, one in enumerate(ids, 1) if one in seen or seen.add(one)]
    if twice:
        raise ValueError(listed(f"{path}: ids come twice: remove the second ones", twice))
    return ids


def _require_found(path: Path, queries: list[ChangeQuery], gallery: list[str]) -> None:
    known = set(gallery)
    lost = [
        (number, query.target)
        for number, query in enumerate(queries, 1)
        if query.target is not None and query.target not in known
    ]
    if lost:
        lines = [f"query {number}: {target!r}" for number, target in lost]
        raise ValueError(listed(f"{path}: targets that are not in the gallery of this split", lines))
