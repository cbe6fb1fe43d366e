"""Copy the repository's documents, and the files they link to, into a folder that the site is built from.

python docs/site/stage.py build/site_source
"""

import shutil
import subprocess
import sys
from pathlib import Path


REPOSITORY = Path(__file__).resolve().parents[2]
# Whole files: pages, their pictures, and code that pages link to.
ENDINGS = {".md", ".png", ".py", ".yaml", ".json", ".jsonl", ".txt", ".lock", ".toml"}
NAMES = {"LICENSE", "Makefile"}


def stage(target: Path) -> None:
    """Copy what git knows, and what it would add, to an emptied folder.

    Args:
        target (`Path`): the folder.
    """
    shutil.rmtree(target, ignore_errors=True)
    listing = ["git", "-C", str(REPOSITORY), "ls-files", "--cached", "--others", "--exclude-standard"]
    for name in subprocess.run(listing, check=True, stdout=subprocess.PIPE, text=True).stdout.splitlines():
        path = REPOSITORY / name
        if path.is_file() and (path.suffix in ENDINGS or path.name in NAMES):
            copy = target / name
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, copy)


if __name__ == "__main__":
    stage(Path(sys.argv[1]))
