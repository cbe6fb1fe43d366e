"""Keeps saved galleries, loaded once, in the user's cache: for search, not for changes."""

from __future__ import annotations

from pathlib import Path

from filelock import FileLock
from huggingface_hub import constants
from transformers.utils import logging

from ...files import folder_written_aside, sha256_of
from ..stores.opening import create_store
from .load import SavedGallery
from .manifest import MANIFEST


logger = logging.get_logger(__name__)


def cached_gallery(source: str | Path, folder: Path) -> Path:
    """Return the place of a saved gallery in the cache, and load it there if no process has done so before.

    Processes that come at the same time wait for the one that loads. A place is never changed: another content has
    another place.

    Args:
        source (`str` or `Path`): the gallery's folder or its id on the Hub, for the name of the place.
        folder (`Path`): the saved gallery.

    Raises:
        FileNotFoundError: a file of the saved gallery is missing.
        OSError: a file is damaged, or the cache cannot be written.
        ValueError: a newer version of hf_fashion saved it.
        ImportError: the store's database is not installed.
    """
    place = cache_place(source, folder)
    if place.is_dir():
        return place
    place.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(place.with_name(f"{place.name}.lock"), thread_local=False):
        if not place.is_dir():
            _load(source, folder, place)
    return place


def cache_place(source: str | Path, folder: Path) -> Path:
    """Return where a saved gallery is in the cache: `$HF_HOME/hf_fashion/galleries/OWNER--NAME/HASH`.

    Args:
        source (`str` or `Path`): the gallery's folder or its id on the Hub.
        folder (`Path`): the saved gallery; the hash of its `gallery.json`, which holds those of all its files, tells
            one revision from another.
    """
    is_folder = Path(source).expanduser() == folder
    name = folder.absolute().name if is_folder else str(source).replace("/", "--")
    return Path(constants.HF_HOME, "hf_fashion", "galleries", name, sha256_of(folder / MANIFEST)[:16])


def _load(source: str | Path, folder: Path, place: Path) -> None:
    logger.warning(f"loading the gallery {source} into {place}, where later searches find it")
    saved = SavedGallery(folder)
    with folder_written_aside(place) as aside:
        saved.copy_to(create_store(str(aside), saved.table(), saved.attachments))
