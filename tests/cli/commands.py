"""The command as a process, and photos for it."""

import subprocess
from pathlib import Path

from tests.tiny_e2 import tiny_images
from tests.warm_processes import run_warm


COUNT = 8


def save_photos(folder: Path, count: int) -> None:
    folder.mkdir()
    for number, photo in enumerate(tiny_images(count)):
        photo.save(folder / f"{number:02d}.png")


def process(*arguments: str, stdin: str = "") -> subprocess.CompletedProcess:
    """`python -m hf_fashion` with these arguments."""
    return run_warm(["-m", "hf_fashion", *arguments], stdin=stdin)
