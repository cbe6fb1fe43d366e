"""What the guards look at: the files that belong to the repository, and their syntax trees."""

import ast
import subprocess
from functools import cache
from pathlib import Path


REPOSITORY = Path(__file__).resolve().parents[2]
PACKAGE = REPOSITORY / "hf_fashion"


@cache
def repository_files() -> list[Path]:
    """Files that git tracks or would track."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=True).stdout
    return [REPOSITORY / name for name in sorted(listed.split("\0")) if name and (REPOSITORY / name).is_file()]


@cache
def python_modules() -> list[Path]:
    """Modules of the package."""
    return sorted(PACKAGE.rglob("*.py"))


@cache
def syntax_tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def short(path: Path) -> str:
    return str(path.relative_to(REPOSITORY))
