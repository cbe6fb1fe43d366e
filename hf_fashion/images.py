"""The one way from a photo, stored or given, to RGB pixels."""

from __future__ import annotations

import os
from io import BytesIO
from pathlib import Path
from typing import Any

from PIL import Image


# A string with one of these at its end is a photo, whether or not there is such a file: a misspelt path must not
# become a description.
PHOTO_ENDINGS = (".avif", ".bmp", ".gif", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp")
PHOTO_BEGINNINGS = ("http://", "https://", "data:image/")


def names_photo(text: str) -> bool:
    """Return whether a string names a photo, by its beginning or ending, and does not describe one.

    Args:
        text (`str`): a path, a URL or a description.
    """
    return text.lower().startswith(PHOTO_BEGINNINGS) or text.lower().endswith(PHOTO_ENDINGS)


def open_photo(photo: Image.Image | bytes | Path | str) -> Image.Image:
    """Open a photo, upright and in RGB.

    Args:
        photo (`PIL.Image.Image`, `bytes`, `Path` or `str`): a photo, its encoded bytes, its path, URL or base64 text.

    Raises:
        ValueError: the photo cannot be read.
    """
    from transformers.image_utils import load_image  # here, so that reading corpora does not wait for it

    try:
        if isinstance(photo, bytes):
            return to_rgb(load_image(Image.open(BytesIO(photo))))
        return to_rgb(load_image(str(photo) if isinstance(photo, Path) else photo))
    except Exception as error:  # PIL raises SyntaxError and others on broken files, downloads have their own
        name = "in memory" if isinstance(photo, bytes) else repr(str(photo)[:200])
        reason = f"{type(error).__name__}: {error}" if _may_exist(photo) else "there is no such file"
        raise ValueError(f"the photo {name} cannot be read: {reason}") from error


def to_rgb(photo: Image.Image) -> Image.Image:
    """Return a decoded photo in RGB; transparency is dropped.

    Args:
        photo (`PIL.Image.Image`): a photo in any mode.
    """
    return photo.convert("RGB")


def to_rgb_on_white(photo: Image.Image) -> Image.Image:
    """Return a decoded photo in RGB, transparent parts on white, as transformers' image processors convert photos.

    Training reads its photos this way, galleries and evaluations read theirs by [`to_rgb`].

    Args:
        photo (`PIL.Image.Image`): a photo in any mode.
    """
    if "A" not in photo.getbands() and photo.info.get("transparency") is None:
        return photo.convert("RGB")
    photo = photo.convert("RGBA")
    white = Image.new("RGBA", photo.size, (255, 255, 255, 255))
    return Image.alpha_composite(white, photo).convert("RGB")


def first_view(photo: Any) -> Any:
    """Return a row's photo, the first where the row holds several views of one product.

    Args:
        photo (`Any`): a photo or a list of photos.
    """
    return photo[0] if isinstance(photo, list) else photo


def _may_exist(photo: Any) -> bool:
    if not isinstance(photo, (Path, str)):
        return True
    return str(photo).startswith(PHOTO_BEGINNINGS) or os.path.exists(photo)
