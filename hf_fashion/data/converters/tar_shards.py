"""List the files of a tar to its end, without unpacking it: a tar that is cut off or damaged is an error."""

import tarfile
from collections.abc import Iterator
from pathlib import Path

from .parquet_files import PartOfFile


BLOCK = tarfile.BLOCKSIZE


def files_of_tar(path: Path) -> Iterator[PartOfFile]:
    """Yield the files of a tar in their order, with where each is.

    Args:
        path (`Path`): the tar, not compressed.

    Raises:
        ValueError: naming the tar, and the last file that could be read, where it is compressed, cut off or damaged,
            or holds a link.
    """
    size, last, end = path.stat().st_size, "its beginning", 0
    try:
        with tarfile.open(path, "r:") as tar:
            for entry in tar:
                if entry.isdir():
                    continue
                if not entry.isreg() or entry.issparse():
                    raise tarfile.ReadError(f"{entry.name} is a link or no plain file")
                if entry.size < 0 or entry.offset_data < end:
                    raise tarfile.ReadError(f"{entry.name} has a place before the file before it")
                end = entry.offset_data + entry.size
                if end > size:
                    raise tarfile.ReadError(f"it is cut off inside {entry.name}")
                last = entry.name
                yield PartOfFile(path, entry.offset_data, entry.size, entry.name)
            end = tar.offset
    except (tarfile.TarError, EOFError, RecursionError, ValueError, OSError) as error:
        raise ValueError(
            f"{path} is no tar, or damaged, behind {last}: {error}. Copy it again, uncompressed"
        ) from error
    _require_end(path, end, last)


def _require_end(path: Path, end: int, last: str) -> None:
    """Raise where a tar does not end with a block of zeros: `tarfile` stops at a damaged header without a word."""
    with open(path, "rb") as file:
        file.seek(end)
        block = file.read(BLOCK)
    if len(block) < BLOCK or any(block):
        what = "has a damaged header" if len(block) == BLOCK else "is cut off"
        raise ValueError(f"{path} {what} behind {last}: copy it again")
