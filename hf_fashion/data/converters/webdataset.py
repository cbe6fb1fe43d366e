"""Read webdataset's tar shards: samples of a photo, a text and JSON, whose files share a name."""

import json
import logging
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath
from typing import Any

from datasets import Value

from ...images import PHOTO_ENDINGS
from ...messages import listed
from ..feeds.json_rows import distinct_keys
from ..sources.folder_listing import SPLIT_NAMES, split_of
from ..sources.source_rows import SOURCE_ROW
from .corpus_rows import Row, Splits, all_rows
from .parquet_files import PartOfFile
from .source_files import find_files
from .tar_shards import files_of_tar


logger = logging.getLogger(__name__)

BRACES = re.compile(r"\{(\d+)\.\.(\d+)\}")
TEXTS = ("txt", "text", "caption", "cls")
OWN = ("image", "sample", SOURCE_ROW, *TEXTS)
NUMBERS = {bool: Value("bool"), int: Value("int64"), float: Value("float64")}


def read_webdataset(source: Path, images: Path | None = None) -> Splits:
    """Read webdataset shards: a row for each sample, with its photo, its texts by their endings, and its JSON's keys.

    Shards whose name begins with a split (`val-00.tar`) or has one in it (`shop-val-00.tar`), or whose folder is
    called so, are that split; all others are train. A sample without a photo is a row without one. Photos are not
    unpacked until the corpus is written.

    Args:
        source (`Path`): a tar, several as `shard-{000000..000009}.tar`, or a folder of them.
        images (`Path`, *optional*): must be `None`: the photos are in the shards.

    Raises:
        FileNotFoundError: a shard is missing.
        ValueError: naming shard and sample: a tar is damaged, a sample has two photos or is in two places of its tar,
            its JSON cannot be read.
    """
    if images is not None:
        raise ValueError("`images` (--images) names a folder of photos; those of a webdataset are in its shards")
    splits: Splits = {}
    unread: Counter[str] = Counter()
    shards = _shards(source)
    for path, name in zip(shards, _shard_names(shards, source), strict=True):
        splits.setdefault(_split_of(path), []).extend(_rows(path, name, unread))
    if unread:
        logger.warning(
            "not read from %s: %s", source, ", ".join(f"{n:,} .{name}" for name, n in sorted(unread.items()))
        )
    _settle_types(splits)
    return splits


def number_features(splits: Splits) -> dict[str, Any]:
    """Return the features of the columns that hold numbers or true and false only.

    Args:
        splits (`dict[str, list[Row]]`): split -> rows, as [`read_webdataset`] returns them.
    """
    kinds: dict[str, set[type]] = defaultdict(set)
    for row in all_rows(splits):
        for name, value in row.items():
            if value is not None:
                kinds[name].add(type(value))
    return {name: NUMBERS[min(found)] for name, found in kinds.items() if len(found) == 1 and min(found) in NUMBERS}


def _split_of(path: Path) -> str:
    words = re.split(r"[-_.]", path.stem.lower())
    inside = next((word for word in words if word in SPLIT_NAMES and word != "data"), None)
    folder = path.parent.name.lower()
    return split_of(path.name) or inside or (folder if folder in SPLIT_NAMES else "train")


def _shards(source: Path) -> list[Path]:
    found = BRACES.search(source.name)
    if found is None:
        return sorted(source.rglob("*.tar")) or find_files(source, "*.tar")  # which says what there is
    first, last = found.groups()
    names = [f"{number:0{len(first)}d}" for number in range(int(first), int(last) + 1)]
    paths = [source.with_name(source.name.replace(found[0], name)) for name in names]
    missing = [path.name for path in paths if not path.is_file()]
    if missing or not paths:
        raise FileNotFoundError(listed(f"{source}: {len(missing):,} of {len(paths):,} shards are not there", missing))
    return paths


def _shard_names(shards: list[Path], source: Path) -> list[str]:
    """The name of each shard, with its folders where two have one name."""
    if len({path.name for path in shards}) == len(shards):
        return [path.name for path in shards]
    return [path.relative_to(source).as_posix() for path in shards]


def _rows(path: Path, name: str, unread: Counter[str]) -> Iterator[Row]:
    problems = []
    for key, files in _samples(path):
        try:
            yield _row(name, key, files, unread)
        except ValueError as error:
            problems.append(f"{key}: {error}")
    if problems:
        raise ValueError(listed(f"{path}: {len(problems):,} samples cannot be read", problems))


def _samples(path: Path) -> Iterator[tuple[str, dict[str, PartOfFile]]]:
    """The files of each sample by their endings; those of one follow each other, with one name."""
    key, files, begun = "", {}, set()
    for file in files_of_tar(path):
        place = PurePosixPath(file.name)
        if place.name.startswith("."):
            continue
        stem, _, ending = place.name.partition(".")
        new = str(place.parent / stem)
        if new != key and files:
            yield key, files
            files = {}
        if new != key and new in begun:
            raise ValueError(
                f"{path}: sample {new!r} begins twice: there are two of this name, or the files of one do not follow "
                "each other. Write the tar again, sorted by name"
            )
        key = new
        begun.add(key)
        if ending.lower() in files:
            raise ValueError(f"{path}: {file.name} comes twice: keep one of them")
        files[ending.lower()] = file
    if files:
        yield key, files


def _row(shard: str, key: str, files: dict[str, PartOfFile], unread: Counter[str]) -> Row:
    photos = [ending for ending in files if f".{ending}" in PHOTO_ENDINGS]
    if len(photos) > 1:
        raise ValueError(f"it has {len(photos)} photos ({', '.join(files)}), and may have one")
    if not photos and any(f".{ending}".endswith(PHOTO_ENDINGS) for ending in files):
        raise ValueError(f"a sample's name ends at its first point, and its files are {', '.join(files)}: rename them")
    unread.update(set(files) - {*photos, *TEXTS, "json"})
    values = _json_values(files["json"]) if "json" in files else {}
    texts = {name: _text(files[name]) for name in TEXTS if name in files}
    place = {"sample": f"{shard.removesuffix('.tar')}/{key}", SOURCE_ROW: f"{shard}, sample {key}"}
    return {"image": files[photos[0]] if photos else None, **place, **texts, **values}


def _text(file: PartOfFile) -> str | None:
    try:
        return file.read().decode("utf-8").strip() or None
    except UnicodeDecodeError as error:
        raise ValueError(f"{file.name} is not UTF-8: write it again in UTF-8") from error


def _json_values(file: PartOfFile) -> dict[str, Any]:
    try:
        values = json.loads(file.read(), object_pairs_hook=distinct_keys)
    except (json.JSONDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ValueError(f"{file.name} is not JSON: {error}") from error
    except ValueError as error:
        raise ValueError(f"{file.name}: {error}") from error
    if not isinstance(values, dict):
        raise ValueError(f"{file.name} is not a JSON object")
    named = {f"json.{name}" if name in OWN else name: value for name, value in values.items()}
    return {name: json.dumps(value) if isinstance(value, (list, dict)) else value for name, value in named.items()}


def _settle_types(splits: Splits) -> None:
    """Make text of a column whose values are of several types; whole numbers among decimals become decimals."""
    kinds: dict[str, set[type]] = defaultdict(set)
    for row in all_rows(splits):
        for name in row.keys() - {"image"}:
            kinds[name].add(type(row[name]))
    for name, found in kinds.items():
        own = found - {type(None)}
        if len(own) > 1:
            are_numbers = own == {int, float}
            what = ", ".join(sorted(kind.__name__ for kind in own))
            logger.warning("column %r holds %s: all become %s", name, what, "decimals" if are_numbers else "text")
            _convert((row for row in all_rows(splits) if row.get(name) is not None), name, are_numbers)


def _convert(rows: Iterable[Row], name: str, are_numbers: bool) -> None:
    for row in rows:
        value = row[name]
        row[name] = float(value) if are_numbers else value if isinstance(value, str) else json.dumps(value)
