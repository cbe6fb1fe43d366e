"""The one way from a photo, stored or given, to RGB pixels."""

from __future__ import annotations

from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from PIL import ExifTags, Image, ImageOps, UnidentifiedImageError


# A string with one of these at its end is a photo, whether or not there is such a file: a misspelt path must not
# become a description.
PHOTO_ENDINGS = (".avif", ".bmp", ".gif", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp")
URL_BEGINNINGS = ("http://", "https://")
PHOTO_BEGINNINGS = (*URL_BEGINNINGS, "data:image/")

# Add 1 whenever the pixels of any photo change, so that photo caches of the older pixels are not used again.
PIXELS_VERSION = 2
# A photo that is this many times as long as wide, or more, is refused: scaled to the width of a model's input, a file
# of a few KB would fill the memory.
MAX_ASPECT_RATIO = 100
# Rows of a photo that are converted together: only they are in memory in all forms of the conversion.
STRIP_HEIGHT = 256

HEIC = (b"heic", b"heix", b"hevc", b"heim", b"heis", b"mif1", b"msf1")  # brands in the first bytes of a file
READY = ("1", "L", "P", "RGB", "RGBX", "CMYK", "YCbCr", "LAB", "HSV", "LA", "PA", "RGBA", "RGBa")
GREY_16_BIT = ("I;16", "I;16L", "I;16B", "I;16N")
# Pillow scales grey of 2 and 4 bits to 8 bits, but not the grey that such a PNG declares transparent.
GREY_STEPS = {"L;2": 85, "L;4": 17}


def names_photo(text: str) -> bool:
    """Return whether a string names a photo, by its beginning or ending, and does not describe one.

    Args:
        text (`str`): a path, a URL or a description.
    """
    return text.lower().startswith(PHOTO_BEGINNINGS) or text.lower().endswith(PHOTO_ENDINGS)


def open_photo(photo: Image.Image | bytes | Path | str) -> Image.Image:
    """Open a photo, upright and in RGB, as [`to_rgb`] does.

    Args:
        photo (`PIL.Image.Image`, `bytes`, `Path` or `str`): a photo, its encoded bytes or its path.

    Raises:
        ValueError: the photo cannot be read.
    """
    try:
        return to_rgb(photo) if isinstance(photo, Image.Image) else decode_photo(_encoded(photo))
    except Exception as error:  # PIL raises SyntaxError and others on broken files, not only OSError
        name = "in memory" if isinstance(photo, (bytes, Image.Image)) else repr(str(photo)[:200])
        raise ValueError(f"the photo {name} cannot be read: {why_unreadable(error)}") from error


def decode_photo(encoded: bytes) -> Image.Image:
    """Decode a photo, upright and in RGB, as [`to_rgb`] does; of several pictures (GIF, TIFF) the first.

    Args:
        encoded (`bytes`): the content of its file.

    Raises:
        Exception: whatever Pillow raises; [`why_unreadable`] words it.
    """
    return to_rgb(_opened(encoded))


def pixels_to_decode(encoded: bytes) -> int:
    """Return how many pixels [`decode_photo`] holds at a time, from the file's head: twice those of a photo that it
    turns; 0 where it would raise.

    Args:
        encoded (`bytes`): the content of its file.
    """
    try:
        photo = _opened(encoded)
        return photo.width * photo.height * (2 if _is_turned(photo) else 1)
    except Exception:  # whatever Pillow raises, as decode_photo will
        return 0


def check_photo(encoded: bytes) -> None:
    """Raise where [`decode_photo`] would. A JPEG is read to its end, but decoded at an eighth of its size.

    Args:
        encoded (`bytes`): the content of its file.

    Raises:
        Exception: whatever Pillow raises; [`why_unreadable`] words it.
    """
    photo = _opened(encoded)
    _require_usable(photo)
    photo.draft(None, (1, 1))
    photo.load()


def to_rgb(photo: Image.Image) -> Image.Image:
    """Convert a photo to RGB, upright by its EXIF data, transparent parts on white.

    Grey of 16 bits is scaled from its range, 0 to 65535. Colour profiles are ignored. Of 24 bits without transparency,
    the photo itself is returned, not a copy.

    Args:
        photo (`PIL.Image.Image`): a photo in any mode.

    Raises:
        ValueError: it is too large or too long, or its mode or kind of TIFF has no agreed white.
    """
    _require_usable(photo)
    key = _transparent_colour(photo)
    photo.load()
    if _is_turned(photo):
        photo = ImageOps.exif_transpose(photo)
    if photo.mode == "RGB" and not photo.has_transparency_data:
        return photo
    rgb = Image.new("RGB", photo.size)
    for top in range(0, photo.height, STRIP_HEIGHT):
        strip = photo.crop((0, top, photo.width, min(top + STRIP_HEIGHT, photo.height)))
        rgb.paste(_on_white(strip, key), (0, top))
    return rgb


def why_unreadable(error: Exception) -> str:
    """Return why a photo could not be read, for people.

    Args:
        error (`Exception`): what reading or decoding it raised.
    """
    if isinstance(error, FileNotFoundError):
        return "there is no such file"
    words = str(error) or type(error).__name__
    return words if isinstance(error, (OSError, ValueError)) else f"{type(error).__name__}: {words}"


def _opened(encoded: bytes) -> Image.Image:
    try:
        return Image.open(BytesIO(encoded))
    except UnidentifiedImageError as error:
        found = f"it begins with {encoded[:16]!r}" if encoded else "it is empty"
        if encoded[4:8] == b"ftyp" and encoded[8:12] in HEIC:
            found = "it is HEIC, as phones write it; convert it to JPEG"
        raise ValueError(f"the file is no photo that can be opened: {found}") from error
    except Image.DecompressionBombError as error:
        raise ValueError(f"it has too many pixels: {_limit()}") from error


def _is_turned(photo: Image.Image) -> bool:
    return photo.getexif().get(ExifTags.Base.Orientation, 1) != 1


def _encoded(photo: Any) -> bytes:
    """The bytes of a photo given as bytes or by its path."""
    if isinstance(photo, (str, Path)):
        return Path(photo).read_bytes()
    if not isinstance(photo, bytes):
        raise ValueError(f"a photo is an image, bytes or a path, got {type(photo).__name__}")
    return photo


def _require_usable(photo: Image.Image) -> None:
    """Raise before anything is decoded where decoding would take too much memory or end in guesses."""
    width, height = photo.size
    if Image.MAX_IMAGE_PIXELS is not None and width * height > Image.MAX_IMAGE_PIXELS:
        raise ValueError(f"it has {width * height:,} pixels ({width}x{height}): {_limit()}")
    if max(width, height) >= MAX_ASPECT_RATIO * min(width, height):
        raise ValueError(f"it is {width}x{height}, {MAX_ASPECT_RATIO} times as long as wide or more: crop it")
    if photo.format == "EPS":
        raise ValueError("EPS is a program that Ghostscript would run: convert it to PNG")
    # The maker of a PNG or PGM says how bright white is; Pillow scales that to 16 bits, which it keeps in 32.
    if photo.mode not in (*READY, *GREY_16_BIT) and not (photo.mode == "I" and photo.format in ("PNG", "PPM")):
        raise ValueError(f"its mode is {photo.mode!r}, which has no agreed white: convert it to 8 or 16 bits")
    if photo.format == "TIFF" and photo.mode in GREY_16_BIT:
        _require_16_bits(photo.tag_v2)


def _require_16_bits(tags: Mapping[int, Any]) -> None:
    """Raise for grey that Pillow puts into the mode of 16 bits as it is stored: of 12 bits, or with 0 as white."""
    (bits,) = tags[ExifTags.Base.BitsPerSample]
    white = ", in which 0 is white" if not tags.get(ExifTags.Base.PhotometricInterpretation, 0) else ""
    if bits != 16 or white:
        raise ValueError(f"it is a TIFF in grey of {bits} bits{white}: convert it to 8 bits, or to 16 with 0 as black")


def _limit() -> str:
    return f"at most {Image.MAX_IMAGE_PIXELS:,} are read; shrink it, or set PIL.Image.MAX_IMAGE_PIXELS"


def _transparent_colour(photo: Image.Image) -> Any:
    """The transparent colour that a photo declares, in the range of Pillow's pixels."""
    key = photo.info.get("transparency")
    if photo.mode == "L" and isinstance(key, int) and getattr(photo, "tile", None):  # not decoded yet
        return key * GREY_STEPS.get(photo.tile[0][3], 1)
    if photo.mode == "RGB" and isinstance(key, tuple) and max(key) > 255:  # of 16 bits, of which Pillow reads 8
        return tuple(value >> 8 for value in key)
    return key


def _on_white(strip: Image.Image, key: Any) -> Image.Image:
    if strip.mode in ("I", *GREY_16_BIT):
        grey = np.asarray(strip).astype(np.int32)
        scaled = np.where(grey == key, 255, (grey + 128) // 257)  # 65535 = 257 * 255
        return Image.fromarray(scaled.astype(np.uint8)).convert("RGB")
    if not strip.has_transparency_data:
        return strip.convert("RGB")
    if key is not None:
        strip.info["transparency"] = key
    strip = strip.convert("RGBA")
    white = Image.new("RGBA", strip.size, (255, 255, 255, 255))
    return Image.alpha_composite(white, strip).convert("RGB")
