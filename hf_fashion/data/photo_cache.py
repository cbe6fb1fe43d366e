"""Photos decoded and resized once, kept on disk as raw pixels, read by memory map."""

import hashlib
import json
import os
import shutil
from pathlib import Path

import numpy as np
from datasets import Dataset
from tqdm.auto import tqdm
from transformers import BaseImageProcessor

from ..files import folder_written_aside, remove_abandoned
from ..images import to_rgb_on_white
from .encoded_photos import encoded_images, photo_files


# What of an image processor shapes the pixels before they are normalised.
GEOMETRY = ("do_resize", "size", "resample", "do_center_crop", "crop_size", "do_convert_rgb", "do_pad", "pad_size")


class PhotoCache:
    """The photos of a dataset after the image processor's resize and crop, before its normalisation.

    Row r has `num_views(r)` photos; each is `uint8` of shape (3, H, W).
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
        """How many photos the product of a row has."""
        return int(self.starts[row + 1] - self.starts[row])

    def photo(self, row: int, view: int = 0) -> np.ndarray:
        """One photo, `uint8` (3, H, W); view 0 is a product's first."""
        return self.pixels[self.starts[row] + view]

    @classmethod
    def build(
        cls, dataset: Dataset, image_column: str, image_processor: BaseImageProcessor, folder: str | Path
    ) -> "PhotoCache":
        """Opens the cache of these photos at this size below `folder`; makes it first where there is none.

        A photo file that was written anew since makes another cache. What killed builds of this one left is removed.

        Args:
            dataset (`Dataset`): rows with an image, or a list of images, in `image_column`.
            image_column (`str`): the column.
            image_processor (`BaseImageProcessor`): says size, crop and resampling.
            folder (`str` or `Path`): holds one folder a cache; made where it is missing.

        Raises:
            OSError: if the disk has no room for the pixels.
        """
        target = Path(folder) / _fingerprint(dataset, image_column, image_processor)
        target.parent.mkdir(parents=True, exist_ok=True)
        remove_abandoned(target)
        if not target.is_dir():
            try:
                with folder_written_aside(target) as aside:
                    _write(dataset.select_columns(image_column), image_column, image_processor, aside)
            except OSError:
                if not target.is_dir():  # else another process was faster, with the same pixels
                    raise
        return cls(target)


def _fingerprint(dataset: Dataset, image_column: str, image_processor: BaseImageProcessor) -> str:
    geometry = {name: value for name, value in image_processor.to_dict().items() if name in GEOMETRY}
    rows, *files = rows_fingerprint(dataset, image_column)
    settings = json.dumps([rows, image_column, geometry, *files], default=str, sort_keys=True)
    return hashlib.sha256(settings.encode()).hexdigest()[:24]


def rows_fingerprint(dataset: Dataset, image_column: str) -> list[str]:
    """What tells the rows of a dataset, photos included, from others.

    Args:
        dataset (`Dataset`): rows with an image, or a list of images, in `image_column`.
        image_column (`str`): the column.
    """
    states = [_state(path) for path in photo_files(dataset, image_column)]
    # The dataset's fingerprint knows embedded photos, but of files only the paths.
    files = [hashlib.sha256(json.dumps(states).encode()).hexdigest()] if states else []
    return [dataset._fingerprint, *files]


def _state(path: str) -> tuple[int, int] | None:
    """Size and time of the last change; `None` for what is no file here, which the build will report."""
    try:
        stat = os.stat(path)
    except OSError:
        return None
    return stat.st_size, stat.st_mtime_ns


def _write(dataset: Dataset, image_column: str, image_processor: BaseImageProcessor, folder: Path) -> None:
    counts = [len(views) for views in encoded_images(dataset, image_column)]
    starts = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    pixels = None
    for row, example in enumerate(tqdm(dataset, desc="resizing photos", leave=False)):
        photos = example[image_column]
        photos = [to_rgb_on_white(photo) for photo in (photos if isinstance(photos, list) else [photos])]
        resized = image_processor(photos, do_rescale=False, do_normalize=False, return_tensors="np")["pixel_values"]
        if pixels is None:
            shape = (int(starts[-1]), *resized.shape[1:])
            _require_room(folder, int(np.prod(shape)))
            pixels = np.lib.format.open_memmap(folder / "pixels.npy", mode="w+", dtype=np.uint8, shape=shape)
        pixels[starts[row] : starts[row + 1]] = resized
    pixels.flush()
    np.save(folder / "starts.npy", starts)


def _require_room(folder: Path, needed: int) -> None:
    free = shutil.disk_usage(folder).free
    if needed > free:
        raise OSError(f"The photo cache needs {needed / 1e9:.1f} GB in {folder}, {free / 1e9:.1f} GB are free.")
