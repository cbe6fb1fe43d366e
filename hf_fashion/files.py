"""Files and folders that a reader never sees half-written, and hashes of their content."""

import contextlib
import hashlib
import json
import os
import re
import secrets
import shutil
import socket
import tempfile
import time
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any


# A process of another machine cannot be asked. What it has not touched for this long was left by a kill.
ABANDONED_AFTER_SECONDS = 24 * 3600
# How libraries that do not raise an OSError say that a disk is full, or a file as large as it may be.
FULL_DISK = ("No space left on device", "Disk quota exceeded", "File too large", "os error 28", "os error 27")


@contextlib.contextmanager
def file_written_aside(path: str | Path) -> Iterator[Path]:
    """Yield a hidden path next to `path`, and rename it to `path` when the block ends.

    A kill or an error leaves the file as it was. Several processes may write the same file: the last one wins. Others
    may read it as far as the umask lets them, also where a library writes files for their owner only.

    Args:
        path (`str` or `Path`): the file; its folder is created if it is missing.
    """
    aside = _path_aside(Path(path))
    try:
        aside.touch()
        mode = aside.stat().st_mode
        yield aside
        aside.chmod(mode)
        os.replace(aside, path)
    finally:
        aside.unlink(missing_ok=True)


@contextlib.contextmanager
def folder_written_aside(path: str | Path, replace: bool = False) -> Iterator[Path]:
    """Yield an empty hidden folder next to `path`, and rename it to `path` when the block ends.

    A kill or an error leaves `path` as it was. Others may read the files as far as the umask lets them, also where a
    library writes them for their owner only, as safetensors does.

    Args:
        path (`str` or `Path`): the folder; its parents are created if they are missing.
        replace (`bool`, *optional*, defaults to `False`): whether to replace the folder that is there.

    Raises:
        OSError: if `path` is a file or a folder that is not empty, and is not to be replaced.
    """
    path = Path(path)
    aside = _path_aside(path)
    aside.mkdir()
    try:
        yield aside
        _share_files(aside)
        if replace:
            _replace_folder(aside, path)
        else:
            os.replace(aside, path)
    finally:
        shutil.rmtree(aside, ignore_errors=True)


@contextlib.contextmanager
def temporary_folder(name: str) -> Iterator[Path]:
    """Yield an empty hidden folder in the system's temporary folder, and remove it when the block ends.

    What a killed process has left there is removed by the next call with the same name.

    Args:
        name (`str`): what the folder is for, such as `"hf_fashion_push"`.
    """
    path = Path(tempfile.gettempdir(), name)
    _remove_abandoned_asides(path)
    folder = _name_aside(path)
    folder.mkdir(mode=0o700)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def remove_abandoned(path: str | Path) -> None:
    """Remove what killed processes have left next to `path` when they wrote it, and put back a folder that one of them
    had moved away to replace it.

    On this machine, that is what belongs to a process that no longer runs; on another machine, what is a day old.

    Args:
        path (`str` or `Path`): a file or folder that is written aside.
    """
    path = Path(path)
    if _old(path).exists() and not path.exists():
        os.replace(_old(path), path)
    _remove_abandoned_asides(path)


def write_json(values: Any, path: str | Path) -> None:
    """Write JSON aside and rename it, so that a kill leaves the file whole or as it was.

    Args:
        values (`Any`): what JSON can hold.
        path (`str` or `Path`): the file; its folder is created if it is missing.

    Raises:
        TypeError: if JSON cannot hold the values.
    """
    with file_written_aside(path) as aside:
        aside.write_text(json.dumps(values, indent=2) + "\n", encoding="utf-8")


def is_full_disk(error: BaseException) -> bool:
    """Return whether an error, of whatever library, says that a disk is full.

    Args:
        error (`BaseException`): the error.
    """
    return any(reason in str(error) for reason in FULL_DISK)


def folder_bytes(folder: str | Path) -> int:
    """Return the bytes of all files in a folder, in its folders too.

    Args:
        folder (`str` or `Path`): the folder. Files that another process removes meanwhile are left out.
    """
    total = 0
    for where, _, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(FileNotFoundError):
                total += os.lstat(os.path.join(where, name)).st_size
    return total


def sha256_of(path: str | Path) -> str:
    """Return the SHA-256 of a file's content, as hexadecimal digits.

    Args:
        path (`str` or `Path`): the file; it is read in parts.
    """
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while part := file.read(1 << 20):
            digest.update(part)
    return digest.hexdigest()


def _remove_abandoned_asides(path: Path) -> None:
    pattern = re.compile(rf"\.{re.escape(path.name)}\.(?P<host>.+)\.(?P<process>\d{{1,9}})\.[0-9a-f]{{8}}")
    for aside in path.parent.iterdir():
        match = pattern.fullmatch(aside.name)
        # Its process has just finished, another one has removed it, or it is another user's.
        with contextlib.suppress(FileNotFoundError, PermissionError):
            if match and _is_abandoned(aside, match["host"], int(match["process"])):
                _remove(aside)


def _path_aside(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    remove_abandoned(path)
    return _name_aside(path)


def _name_aside(path: Path) -> Path:
    return path.with_name(f".{path.name}.{socket.gethostname()}.{os.getpid()}.{secrets.token_hex(4)}")


def _share_files(folder: Path) -> None:
    """Lets those who may read and write the folder do so with its files."""
    shared = folder.stat().st_mode & 0o666
    for path in folder.rglob("*"):
        if path.is_file() and not path.is_symlink():
            path.chmod(path.stat().st_mode | shared)


def _is_abandoned(aside: Path, host: str, process: int) -> bool:
    if host == socket.gethostname():
        return not _is_alive(process)
    return time.time() - aside.stat().st_mtime > ABANDONED_AFTER_SECONDS


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink()


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)  # sends nothing
    except ProcessLookupError:
        return False
    except PermissionError:  # it is someone else's
        return True
    return True


def _replace_folder(aside: Path, path: Path) -> None:
    """Put a finished folder in the place of another one; at every moment one of the two is whole."""
    old = _old(path)
    shutil.rmtree(old, ignore_errors=True)
    if path.exists():
        os.replace(path, old)
    os.replace(aside, path)
    shutil.rmtree(old, ignore_errors=True)


def _old(path: Path) -> Path:
    return path.with_name(f".{path.name}.old")


def similar_file(path: str | Path) -> str:
    """Return `" (did you mean 'IMG_1.JPG'?)"` for a file that is there under almost the name of one that is not.

    The names differ in letter case, in blanks at an end, in how accents are written (a Mac takes letters apart), or in
    backslashes for slashes. Without such a file, `""`.

    Args:
        path (`str` or `Path`): the file that is missing.
    """
    written = Path(str(path).replace("\\", "/"))
    found = _names_by_spelling(written.parent).get(_spelling(written.name))
    if found is None or written.with_name(found) == Path(path):  # itself, a link to a file that is missing
        return ""
    composed = (unicodedata.normalize("NFC", name) for name in (found, written.name))
    look_alike = found != written.name and len(set(composed)) == 1
    letters = f" Its accents are other characters: {found!a} there, {written.name!a} here" if look_alike else ""
    return f" (did you mean {str(written.with_name(found))!r}?{letters})"


@lru_cache(maxsize=1000)
def _names_by_spelling(folder: Path) -> dict[str, str]:
    try:
        return {_spelling(path.name): path.name for path in folder.iterdir()}
    except OSError:  # there is no such folder, or it may not be listed
        return {}


def _spelling(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold().strip()
