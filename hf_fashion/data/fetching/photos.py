"""Fetch photos by their URLs into a folder: bounded, resumable, and only whole files that are photos."""

import hashlib
import logging
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path, PurePosixPath

from tqdm.auto import tqdm

from ...fetching.urls import fetch_bytes
from ...files import file_written_aside
from ...images import PHOTO_ENDINGS, check_photo, why_unreadable


logger = logging.getLogger(__name__)

MOST_PHOTOS = 200_000  # of one call
LARGEST_PHOTO = 20_000_000  # bytes
MOST_BYTES = 100 << 30  # of one call
SECONDS = 60  # for one photo
THREADS = 8
PHOTOS_AT_ONCE = 64


@dataclass
class FetchedPhotos:
    """What was fetched.

    Args:
        paths (`dict[str, Path]`): URL -> its file.
        failures (`dict[str, str]`): URL -> why there is none.
        num_bytes (`int`): bytes that came over the network, those of failures too.
    """

    paths: dict[str, Path] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)
    num_bytes: int = 0

    def __post_init__(self):
        self._lock = threading.Lock()

    def count(self, number: int) -> None:
        """Add bytes that have come, from any thread.

        Args:
            number (`int`): of bytes.
        """
        with self._lock:
            self.num_bytes += number


def fetch_photos(urls: Sequence[str], folder: str | Path) -> FetchedPhotos:
    """Fetch photos into a folder, whose files are named by their URLs: those that are there are not fetched again.

    Only by http and https, only from public addresses, redirects included. A file appears when it is complete and was
    read as a photo. A line of the log says what was fetched.

    Args:
        urls (`Sequence[str]`): the URLs, each once.
        folder (`str` or `Path`): the folder; created if it is missing.

    Raises:
        ValueError: there are more than `MOST_PHOTOS` URLs. A photo that cannot be fetched is no error here.
        OSError: the folder cannot be written.
    """
    if len(urls) > MOST_PHOTOS:
        raise ValueError(
            f"{len(urls):,} photos are named by URLs, and at most {MOST_PHOTOS:,} are fetched at once: divide the feed"
        )
    places = {url: Path(folder) / photo_name(url) for url in urls}
    fetched = FetchedPhotos({url: path for url, path in places.items() if path.is_file()})
    there, missing = len(fetched.paths), [url for url in urls if url not in fetched.paths]
    with tqdm(total=len(missing), desc="photos", leave=False) as bar, ThreadPoolExecutor(THREADS) as threads:
        for start in range(0, len(missing), PHOTOS_AT_ONCE):  # so that Ctrl-C waits for these only
            part = missing[start : start + PHOTOS_AT_ONCE]
            for url, failure in zip(part, threads.map(partial(_fetch, fetched, places), part), strict=True):
                if failure is None:
                    fetched.paths[url] = places[url]
                else:
                    fetched.failures[url] = failure
                bar.update()
    logger.warning(
        "%s: %s photos fetched (%.1f MB), %s were there, %s failed",
        folder,
        f"{len(fetched.paths) - there:,}",
        fetched.num_bytes / 1e6,
        f"{there:,}",
        f"{len(fetched.failures):,}",
    )
    return fetched


def photo_name(url: str) -> str:
    """Return the path of a URL's photo in its folder: a hash of the URL, in one of 256 folders.

    Args:
        url (`str`): the URL.
    """
    ending = PurePosixPath(url.partition("?")[0].partition("#")[0]).suffix.lower()
    digest = hashlib.sha256(url.encode("utf-8", "surrogatepass")).hexdigest()[:32]
    return f"{digest[:2]}/{digest}{ending if ending in PHOTO_ENDINGS else '.jpg'}"


def _fetch(fetched: FetchedPhotos, places: dict[str, Path], url: str) -> str | None:
    """Why a photo was not fetched, `None` if it was. Errors of the folder are raised."""
    if fetched.num_bytes >= MOST_BYTES:
        return f"{MOST_BYTES >> 30} GB are fetched already, which is the limit of one call: run it again"
    try:
        content = fetch_bytes(url, LARGEST_PHOTO, SECONDS, fetched.count)
    except ValueError as error:
        return str(error)
    try:
        check_photo(content)
    except Exception as error:  # whatever Pillow raises on broken files
        return f"it is no photo that can be read: {why_unreadable(error)}"
    with file_written_aside(places[url]) as aside:
        aside.write_bytes(content)
    return None
