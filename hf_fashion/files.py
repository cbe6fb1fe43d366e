"""Files that a reader never sees half-written, and known by their content."""

import hashlib
import json
import os
from pathlib import Path
from typing import Any


def write_json(values: Any, path: str | Path) -> None:
    """Writes JSON beside the path and moves it there, so that a kill leaves the file whole or as it was.

    Args:
        values (`Any`): what JSON can hold.
        path (`str` or `Path`): the file; its folder is made where it is missing.

    Raises:
        TypeError: if JSON cannot hold the values.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    aside.write_text(json.dumps(values, indent=2) + "\n", encoding="utf-8")
    os.replace(aside, path)


def sha256_of(path: str | Path) -> str:
    """The SHA-256 of a file's content, as hexadecimal digits.

    Args:
        path (`str` or `Path`): the file; it is read in parts.
    """
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while part := file.read(1 << 20):
            digest.update(part)
    return digest.hexdigest()
