"""Photos of queries, in every form in which people hold them: files, URLs, bytes, arrays, tensors."""

from __future__ import annotations

import base64
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from ..fetching.urls import fetch_photo
from ..images import open_photo


CHANNELS = (1, 3, 4)
Pixels = (np.ndarray, torch.Tensor)
# An image of `datasets` that is not decoded: its bytes, or the path of its file.
STORED = {"bytes", "path"}
# How the base64 text of a JPEG, PNG, GIF, WebP, BMP, TIFF or AVIF begins.
BASE64_BEGINNINGS = ("/9j/", "iVBORw0KGgo", "R0lGOD", "UklGR", "Qk", "SUkqA", "TU0AK", "AAAA")


@dataclass(frozen=True)
class PhotoSources:
    """Where photos that are named by a string may be read from. A photo that is given itself is always read.

    Args:
        paths (`bool`, *optional*, defaults to `True`): files of this machine.
        urls (`bool`, *optional*, defaults to `True`): http and https, as in [`~fetching.urls.fetch_photo`].
    """

    paths: bool = True
    urls: bool = True

    def open(self, photo: Any) -> Image.Image:
        """Open a photo in any of its forms, upright and in RGB.

        Args:
            photo (`Any`): a form of [`photo_of`].

        Raises:
            ValueError: the photo cannot be read, or is named by a path or URL where none is allowed.
        """
        photo = photo_of(photo)
        return open_photo(self._named(photo) if isinstance(photo, (str, Path)) else photo)

    def _named(self, name: str | Path) -> bytes | Path:
        """The bytes or the file of a photo that is named by a string."""
        if isinstance(name, str) and name.lower().startswith(("http://", "https://")):
            _require(self.urls, "URLs", "allow_urls")
            return fetch_photo(name)
        if isinstance(name, str) and name.lower().startswith("data:image/"):
            return _of_data_url(name)
        path = os.path.expanduser(name)  # a string: base64 has as many parts as it has slashes
        is_file = self.paths and os.path.exists(path)
        if isinstance(name, str) and not is_file and name.startswith(BASE64_BEGINNINGS) and (code := _of_base64(name)):
            return code
        _require(self.paths, "paths", "allow_paths")
        return Path(path)


ANYWHERE = PhotoSources()


def is_photo(value: Any) -> bool:
    """Return whether a value is of a type that holds one photo: strings are not, since most are texts.

    Args:
        value (`Any`): any value.
    """
    if isinstance(value, Pixels):
        return value.ndim in (2, 3) and value.dtype != object
    if isinstance(value, Mapping):
        return set(value) == STORED
    return isinstance(value, (Image.Image, os.PathLike, bytes, bytearray, memoryview)) or hasattr(value, "read")


def photo_of(photo: Any) -> Image.Image | bytes | Path | str:
    """Return a photo in one of the forms that are opened.

    Args:
        photo (`Any`): a photo of PIL, encoded bytes or a file that is open for reading them, an array or tensor of
            pixels, a path, a URL, base64 text, or an image of `datasets` that is not decoded.

    Raises:
        ValueError: it is none of these, or its values are not pixels.
    """
    if isinstance(photo, Mapping) and is_photo(photo):
        photo = photo["path"] if photo.get("bytes") is None else photo["bytes"]
    if isinstance(photo, (Image.Image, bytes, str)):
        return photo
    if isinstance(photo, os.PathLike):
        return Path(photo)
    if isinstance(photo, (bytearray, memoryview)):
        return bytes(photo)
    if isinstance(photo, Pixels):
        return _photo_of_pixels(photo)
    if hasattr(photo, "read"):
        return _content(photo)
    raise ValueError(
        "a photo must be one of PIL, bytes, an open file, an array or tensor of pixels, a path or a URL, got "
        f"{type(photo).__name__}"
    )


def _photo_of_pixels(pixels: np.ndarray | torch.Tensor) -> Image.Image:
    """Of 8-bit values, or of floats from 0 to 1; channels come last, or first as tensors have them."""
    first = isinstance(pixels, torch.Tensor)
    if first:
        pixels = pixels.detach().cpu()
        pixels = (pixels.float() if pixels.is_floating_point() else pixels).numpy()
    if pixels.ndim == 3:
        places = (0, 2) if first else (2, 0)
        place = next((place for place in places if pixels.shape[place] in CHANNELS), None)
        if place is None or 0 in pixels.shape:
            raise ValueError(f"pixels must have shape (H, W, 3) or (3, H, W), got {tuple(pixels.shape)}")
        pixels = np.moveaxis(pixels, place, 2)
        pixels = pixels[..., 0] if pixels.shape[2] == 1 else pixels
    elif pixels.ndim != 2 or 0 in pixels.shape:
        raise ValueError(f"the pixels of one photo must have shape (H, W, 3), got {tuple(pixels.shape)}")
    return Image.fromarray(np.ascontiguousarray(_as_bytes(pixels)))


def _as_bytes(pixels: np.ndarray) -> np.ndarray:
    if pixels.dtype == np.uint8:
        return pixels
    if not np.issubdtype(pixels.dtype, np.floating):
        raise ValueError(f"pixels must be uint8 from 0 to 255, or floats from 0 to 1, got {pixels.dtype}")
    lowest, highest = pixels.min(), pixels.max()
    if not 0 <= lowest <= highest <= 1:
        raise ValueError(
            f"pixels that are floats must be from 0 to 1, got {lowest:g} to {highest:g}: give the photo as it is, not "
            "as an image processor has normalised it"
        )
    return np.round(pixels * 255).astype(np.uint8)


def _content(file: Any) -> bytes:
    if file.seekable():
        file.seek(0)  # it may have been written a moment ago
    content = file.read()
    if not isinstance(content, bytes):
        raise ValueError("a file with a photo must be opened for bytes, with open(path, 'rb')")
    return content


def _of_data_url(url: str) -> bytes:
    content = _of_base64(url.partition(",")[2])
    if not content:
        raise ValueError(f"the photo {url[:40]!r} cannot be read: behind its comma there is no base64")
    return content


def _of_base64(text: str) -> bytes | None:
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except ValueError:
        return None


def _require(allowed: bool, what: str, option: str) -> None:
    if not allowed:
        raise ValueError(
            f"photos are not read from {what} here (`{option}` is off): give the photo itself, such as its bytes or "
            "base64"
        )
