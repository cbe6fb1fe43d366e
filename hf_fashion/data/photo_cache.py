"""Cache resized photos: decoded once, kept on disk as raw pixels, read by memory map."""

import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
from datasets import Dataset
from tqdm.auto import tqdm
from transformers import BaseImageProcessor

from ..files import folder_written_aside, remove_abandoned
from ..images import PIXELS_VERSION
from .encoded_photos import encoded_images, photo_files
from .photos.photo_processing import process_photo
from .photos.stored_photos import StoredPhotos


# The settings of an image processor that decide the pixels before they are normalised.
GEOMETRY = ("do_resize", "size", "resample", "do_center_crop", "crop_size", "do_convert_rgb", "do_pad", "pad_size")


class PhotoCache:
    """Photos of a dataset after the image processor's resize and crop, before its normalisation.

    Row r has `num_views(r)` photos; each is `uint8` of shape (3, H, W).

    Args:
        folder (`Path`): a folder that [`PhotoCache.build`] wrote.
    """

    def __init__(self, folder: Path):
        self.folder = folder
        self.pixels = np.load(folder / "pixels.npy", mmap_mode="r")  # (all views, 3, H, W)
        self.starts = np.load(folder / "starts.npy")  # (rows + 1,): views of row r are starts[r] .. starts[r + 1]

    def __reduce__(self) -> tuple:
        # Another process, such as a worker of a DataLoader, maps the file itself instead of receiving all pixels.
        return PhotoCache, (self.folder,)

    def __len__(self) -> int:
        return len(self.starts) - 1

    def num_views(self, row: int) -> int:
        """Return the number of photos of a row's product."""
        return int(self.starts[row + 1] - self.starts[row])

    def photo(self, row: int, view: int = 0) -> np.ndarray:
        """Return one photo, `uint8` (3, H, W); view 0 is a product's first."""
        return self.pixels[self.starts[row] + view]

    @classmethod
    def build(
        cls, dataset: Dataset, image_column: str, image_processor: BaseImageProcessor, folder: str | Path
    ) -> "PhotoCache":
        """Open the cache of these photos at this size below `folder`, and build it if there is none.

        A photo file that has changed needs another cache, and so do photos that were decoded by other rules. What
        killed builds of this cache left is removed.

        Args:
            dataset (`Dataset`): rows with an image, or a list of images, in `image_column`.
            image_column (`str`): the column.
            image_processor (`BaseImageProcessor`): its size, crop and resampling are used.
            folder (`str` or `Path`): holds one folder a cache; created if it is missing.

        Raises:
            OSError: if the disk has no room for the pixels.
            ValueError: if a photo cannot be read; its row is named.
        """
        target = Path(folder) / _fingerprint(dataset, image_column, image_processor)
        target.parent.mkdir(parents=True, exist_ok=True)
        remove_abandoned(target)
        if not target.is_dir():
            try:
                with folder_written_aside(target) as aside:
                    _write(dataset, image_column, image_processor, aside)
            except OSError:
                if not target.is_dir():  # else another process was faster, with the same pixels
                    raise
        return cls(target)


def _fingerprint(dataset: Dataset, image_column: str, image_processor: BaseImageProcessor) -> str:
    geometry = {name: value for name, value in image_processor.to_dict().items() if name in GEOMETRY}
    rows, *files = rows_fingerprint(dataset, image_column)
    settings = json.dumps([PIXELS_VERSION, rows, image_column, geometry, *files], default=str, sort_keys=True)
    return hashlib.sha256(settings.encode()).hexdigest()[:24]


def rows_fingerprint(dataset: Dataset, image_column: str) -> list[str]:
    """Return a fingerprint of the rows of a dataset, photos included.

    Args:
        dataset (`Dataset`): rows with an image, or a list of images, in `image_column`.
        image_column (`str`): the column.
    """
    states = [_state(path) for path in photo_files(dataset, image_column)]
    # The dataset's fingerprint covers embedded photos, but only the paths of files.
    files = [hashlib.sha256(json.dumps(states).encode()).hexdigest()] if states else []
    return [dataset._fingerprint, *files]


def _state(path: str) -> tuple[int, int] | None:
    """Return size and time of the last change; `None` if there is no such file, which the build will report."""
    try:
        stat = os.stat(path)
    except OSError:
        return None
    return stat.st_size, stat.st_mtime_ns


def _write(dataset: Dataset, image_column: str, image_processor: BaseImageProcessor, folder: Path) -> None:
    counts = [len(views) for views in encoded_images(dataset, image_column)]
    starts = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    pixels = None
    for number, resized in enumerate(_resized(dataset, image_column, image_processor)):
        if pixels is None:
            shape = (int(starts[-1]), *resized.shape)
            require_room(folder, int(np.prod(shape)), "photo cache")
            pixels = np.lib.format.open_memmap(folder / "pixels.npy", mode="w+", dtype=np.uint8, shape=shape)
        pixels[number] = resized
    pixels.flush()
    np.save(folder / "starts.npy", starts)


def _resized(dataset: Dataset, image_column: str, image_processor: BaseImageProcessor) -> Iterator[np.ndarray]:
    """All views of all rows, one after another: (3, H, W)."""
    photos, options = StoredPhotos(dataset, image_column), {"do_rescale": False, "do_normalize": False}
    for row in tqdm(range(len(photos)), desc="resizing photos", leave=False):
        for view in map(partial(process_photo, image_processor, return_tensors="np", **options), photos.views(row)):
            yield view["pixel_values"][0]


def require_room(folder: Path, needed: int, what: str) -> None:
    """Raise `OSError` if a disk has no room for a cache.

    Args:
        folder (`Path`): a folder on the disk.
        needed (`int`): bytes.
        what (`str`): the cache, for the message.
    """
    free = shutil.disk_usage(folder).free
    if needed > free:
        raise OSError(
            f"the {what} needs {needed / 1e9:.1f} GB in {folder}, and {free / 1e9:.1f} GB are free: make room, "
            "or choose a cache folder on another disk"
        )
