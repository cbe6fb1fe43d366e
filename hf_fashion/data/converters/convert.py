"""Convert files that people have to a corpus: a folder of parquet for `load_corpus`, a file for each split."""

import logging
from pathlib import Path

from datasets import List, Value

from ...fetching.urls import shown_url
from ...files import folder_written_aside
from ...messages import listed
from ..encoded_photos import is_url
from ..fetching.photos import fetch_photos, photo_name
from .corpus_rows import Row, Splits, all_rows, missing_photos, require_distinct, urls_of, views_of
from .formats import FORMATS, WRITERS, Format, require_format
from .parquet_files import features_of, stored_row, write_parquet


logger = logging.getLogger(__name__)

IMAGE_URL = "image_url"


def convert_corpus(
    name: str,
    source: str | Path,
    output: str | Path,
    images: str | Path | None = None,
    fetch_images: str | Path | None = None,
    on_bad_image: str = "error",
) -> dict[str, int]:
    """
    Convert files of a known format to a corpus that `load_corpus(output)` loads, with the shipped column map `name`.

    Photos in files stay where they are: the corpus holds their paths. All that is wrong with the rows is found before
    anything is written; the photos themselves are opened by `check_corpus`.

    Args:
        name (`str`): format of the files, one of `FORMATS` or `WRITERS` in `formats.py`.
        source (`str` or `Path`): the file, or the folder of the files.
        output (`str` or `Path`): folder to create; it must not exist. It appears when it is complete.
        images (`str` or `Path`, *optional*): folder of the photos, if they are not where the format has them.
        fetch_images (`str` or `Path`, *optional*): folder to download photos to that are named by URLs; those that are
            there are not fetched again. Without it, URLs are an error. The column `image_url` keeps them.
        on_bad_image (`str`, *optional*, defaults to `"error"`): `"skip"` keeps rows whose photo is missing or could
            not be fetched, and logs them: `check_corpus` reports or skips them.

    Returns:
        `dict[str, int]`: split -> number of rows.

    Raises:
        FileNotFoundError: files are missing.
        ValueError: an argument is wrong, or `output` exists; naming file and row of all that is wrong: a file cannot
            be read, an id comes twice, a photo is missing, is a URL or could not be fetched.
    """
    if on_bad_image not in ("error", "skip"):
        raise ValueError(f"`on_bad_image` must be one of error, skip; got {on_bad_image!r}")
    require_format(name)
    output = Path(output)
    if output.exists():
        raise ValueError(f"`output` {output} exists already: remove it, or choose another folder")
    source, images = Path(source).absolute(), None if images is None else Path(images).absolute()
    if name in FORMATS:
        return _convert_rows(FORMATS[name], source, output, images, fetch_images, on_bad_image)
    if fetch_images is not None or on_bad_image == "skip":
        raise ValueError(f"{name} has all its photos in files: it takes no `fetch_images`, and none may be missing")
    return WRITERS[name](source, output, images)


def _convert_rows(
    chosen: Format, source: Path, output: Path, images: Path | None, fetch_images: str | Path | None, on_bad_image: str
) -> dict[str, int]:
    splits = chosen.read(source, images)
    _require_rows(splits, source)
    require_distinct(splits, chosen.row_id)
    hint = ". Name their folder with `images` (--images)" if _has_paths(splits) else ""
    _report(missing_photos(splits), f"rows without their photos{hint}", on_bad_image)
    splits = _with_local_photos(splits, fetch_images, on_bad_image)
    urls = {} if fetch_images is None else {IMAGE_URL: List(Value("string"))}
    features = features_of(splits, {**chosen.features, **chosen.find_features(splits), **urls})
    with folder_written_aside(output) as aside:
        for split, rows in splits.items():
            write_parquet(map(stored_row, rows), features, aside / f"{split}.parquet")
    return {split: len(rows) for split, rows in splits.items()}


def _require_rows(splits: Splits, source: Path) -> None:
    empty = [split for split, rows in splits.items() if not rows]
    if empty or not splits:
        raise ValueError(f"{source} has no rows{' in ' + ', '.join(empty) if empty else ''}: is it the whole file?")


def _has_paths(splits: Splits) -> bool:
    """Whether photos are files of their own, and neither URLs nor parts of other files."""
    return any(isinstance(view, str) and not is_url(view) for row in all_rows(splits) for view in views_of(row))


def _with_local_photos(splits: Splits, fetch_images: str | Path | None, on_bad_image: str) -> Splits:
    """The rows with paths in place of URLs."""
    places = urls_of(splits)
    if not places:
        if fetch_images is not None:
            raise ValueError("`fetch_images` (--fetch_images) fetches photos that are URLs, and none is one here")
        return splits
    if fetch_images is None:
        url, place = next(iter(places.items()))
        raise ValueError(
            f"{len(places):,} photos are URLs, the first in {place}: {shown_url(url)}. Name a folder to download "
            "them to with `fetch_images` (--fetch_images FOLDER), or write paths into the file"
        )
    fetched = fetch_photos(list(places), fetch_images)
    failures = [f"{places[url]}: {shown_url(url)}: {reason}" for url, reason in fetched.failures.items()]
    _report(failures, "photos could not be fetched. Run it again to fetch them only", on_bad_image)
    # Of those that failed too: a product keeps the order of its photos, and a check finds what is not there.
    paths = {url: str((Path(fetch_images) / photo_name(url)).absolute()) for url in places}
    return {split: [_local(row, paths) for row in rows] for split, rows in splits.items()}


def _local(row: Row, paths: dict[str, str]) -> Row:
    urls = [view for view in views_of(row) if is_url(view)]
    return row | {"image": [paths[view] if is_url(view) else view for view in views_of(row)], IMAGE_URL: urls}


def _report(problems: list[str], what: str, on_bad_image: str) -> None:
    """Raise, or log, what is wrong with photos."""
    if not problems:
        return
    if on_bad_image == "error":
        raise ValueError(
            listed(f"{len(problems):,} {what}, or go on by on_bad_image=skip (--on_bad_image skip)", problems)
        )
    logger.warning(
        "%s", listed(f"{len(problems):,} {what}; the rows stay, and a check of the corpus finds them", problems)
    )
