"""Cache outputs of frozen layers: computed once for each photo, kept on disk, read by memory map."""

import hashlib
import json
import math
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from tqdm.auto import tqdm

from ...data.normalisation import PixelNormaliser
from ...data.photo_cache import PhotoCache, require_room
from ...files import file_written_aside
from .layers import FrozenLayers


PHOTOS_A_FILE = 1024  # a build that was killed goes on after the last whole file
PHOTOS_A_PASS = 64


class StateCache:
    """Outputs of frozen layers for the photos of a cache, with the same rows and views.

    Args:
        photos (`PhotoCache`): the photos.
        folder (`Path`): a folder that [`StateCache.build`] filled.
    """

    def __init__(self, photos: PhotoCache, folder: Path):
        self.photos, self.folder = photos, folder
        # Each of shape (PHOTOS_A_FILE, L, D), the last one shorter.
        self.files = [np.load(path, mmap_mode="r") for path in _paths(photos, folder)]

    def __reduce__(self) -> tuple:
        # Another process, such as a worker of a DataLoader, maps the files itself.
        return StateCache, (self.photos, self.folder)

    def __len__(self) -> int:
        return len(self.photos)

    def num_views(self, row: int) -> int:
        """Return the number of photos of a row's product."""
        return self.photos.num_views(row)

    def photo(self, row: int, view: int = 0) -> np.ndarray:
        """Return the outputs for one photo, of shape (L, D); view 0 is a product's first."""
        file, place = divmod(int(self.photos.starts[row]) + view, PHOTOS_A_FILE)
        return self.files[file][place]

    @classmethod
    def build(
        cls,
        photos: PhotoCache,
        frozen: FrozenLayers,
        normalise: PixelNormaliser,
        dtype: type[np.floating] = np.float16,
        say: Callable[[str], None] = print,
    ) -> "StateCache":
        """Open the cache of these outputs next to the photos, and compute what is missing of it.

        Other photos, weights, layers or normalisation need another cache. A killed build goes on where it was.

        Args:
            photos (`PhotoCache`): the photos.
            frozen (`FrozenLayers`): the layers.
            normalise (`PixelNormaliser`): makes `pixel_values` of photos.
            dtype (`type`, *optional*, defaults to `np.float16`): of the numbers on disk.
            say (`Callable`, *optional*, defaults to `print`): is told how much will be written, before it is.

        Raises:
            OSError: if the disk has no room for it.
            ValueError: if an output does not fit `dtype`.
        """
        folder = photos.folder.with_name(f"{photos.folder.name}-{_fingerprint(frozen, normalise, dtype)}")
        folder.mkdir(exist_ok=True)
        paths = _paths(photos, folder)
        missing = [number for number, path in enumerate(paths) if not path.is_file()]
        if missing:
            _announce(photos, frozen, normalise, dtype, folder, missing, say)
        for number in tqdm(missing, desc="running frozen layers", unit="file", leave=False):
            states = _run(photos.pixels[number * PHOTOS_A_FILE :][:PHOTOS_A_FILE], frozen, normalise, dtype)
            with file_written_aside(paths[number]) as aside, open(aside, "wb") as file:
                np.save(file, states)
        return cls(photos, folder)


def stack_states(states: Sequence[Tensor]) -> Tensor:
    """Return a batch of cached outputs (B, L, D) in float32.

    Args:
        states (`Sequence[torch.Tensor]`): B outputs of shape (L, D).
    """
    return torch.stack(list(states)).float()


def _paths(photos: PhotoCache, folder: Path) -> list[Path]:
    number = math.ceil(len(photos.pixels) / PHOTOS_A_FILE)
    return [folder / f"states-{place:05d}.npy" for place in range(number)]


def _fingerprint(frozen: FrozenLayers, normalise: PixelNormaliser, dtype: type[np.floating]) -> str:
    statistics = [normalise.mean.flatten().tolist(), normalise.std.flatten().tolist(), normalise.rescale]
    settings = json.dumps([frozen.fingerprint(), statistics, np.dtype(dtype).name, PHOTOS_A_FILE])
    return hashlib.sha256(settings.encode()).hexdigest()[:24]


def _announce(photos, frozen, normalise, dtype, folder: Path, missing: list[int], say: Callable[[str], None]) -> None:
    """Say how many bytes the missing files take, and refuse a disk that has no room for them."""
    one = _run(photos.pixels[:1], frozen, normalise, dtype)
    number = sum(min(PHOTOS_A_FILE, len(photos.pixels) - file * PHOTOS_A_FILE) for file in missing)
    say(
        f"The first {len(frozen.layers)} layers are run once for {number:,} photos; their outputs take "
        f"{number * one.nbytes / 1e9:.2f} GB in {folder}."
    )
    require_room(folder, number * one.nbytes, "cache of frozen layers")


def _run(pixels: np.ndarray, frozen: FrozenLayers, normalise: PixelNormaliser, dtype) -> np.ndarray:
    """Return the outputs (M, L, D) for M photos (M, 3, H, W)."""
    parts = []
    for first in range(0, len(pixels), PHOTOS_A_PASS):
        photos = torch.from_numpy(pixels[first : first + PHOTOS_A_PASS].copy())
        states = frozen.run(normalise(list(photos))).cpu().numpy()
        with np.errstate(over="ignore"):  # the check below says it
            parts.append(states.astype(dtype))
        if not np.isfinite(parts[-1]).all():
            raise ValueError(
                f"An output of the frozen layers ({np.abs(states).max():.3g}) does not fit {np.dtype(dtype).name}: "
                "freeze fewer layers, or train without `model.freeze_layers`."
            )
    return np.concatenate(parts)
