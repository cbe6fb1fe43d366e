"""Tell paths of photos from other cells of a feed."""

from pathlib import Path


PHOTO_ENDINGS = (".avif", ".bmp", ".gif", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp")


def names_a_photo(cell: str, folder: Path) -> bool:
    """Return whether a cell ends like a photo's file name, or is the path of a file.

    Args:
        cell (`str`): a cell of a feed.
        folder (`Path`): of the feed.
    """
    cell = cell.strip()
    return bool(cell) and (cell.lower().endswith(PHOTO_ENDINGS) or (len(cell) < 256 and (folder / cell).is_file()))


def is_url(cell: str) -> bool:
    """Return whether a cell is a URL and not a path.

    Args:
        cell (`str`): a cell of a feed.
    """
    scheme, separator, _ = cell.partition("://")
    return bool(separator) and scheme.isalnum() and len(scheme) > 1
