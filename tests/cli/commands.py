"""The command as a process, and photos for it."""

import subprocess
import sys
from pathlib import Path

from tests.conftest import REPOSITORY
from tests.tiny_e2 import tiny_images


COUNT = 8


def save_photos(folder: Path, count: int) -> None:
    folder.mkdir()
    for number, photo in enumerate(tiny_images(count)):
        photo.save(folder / f"{number:02d}.png")


def process(*arguments: str, stdin: str = "") -> subprocess.CompletedProcess:
    """`python -m hf_fashion` with these arguments."""
    command = [sys.executable, "-m", "hf_fashion", *arguments]
    return subprocess.run(command, capture_output=True, text=True, input=stdin, cwd=REPOSITORY)
