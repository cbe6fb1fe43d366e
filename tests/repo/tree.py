"""What the guards look at: the files of the repository, their syntax trees, and who imports whom."""

import ast
import subprocess
import sys
from functools import cache
from pathlib import Path


REPOSITORY = Path(__file__).resolve().parents[2]
PACKAGE = REPOSITORY / "hf_fashion"
# What code that is copied to a Hub repository may import.
ALLOWED = {"torch", "transformers", "PIL", "numpy", "safetensors", "huggingface_hub"} | set(sys.stdlib_module_names)


@cache
def repository_files() -> list[Path]:
    """Return the files that git tracks or would track."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=True).stdout
    return [REPOSITORY / name for name in sorted(listed.split("\0")) if name and (REPOSITORY / name).is_file()]


@cache
def python_modules() -> list[Path]:
    """Return the modules of the package."""
    return sorted(PACKAGE.rglob("*.py"))


@cache
def syntax_tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def short(path: Path) -> str:
    return str(path.relative_to(REPOSITORY))


def module_name(path: Path) -> str:
    """Return the dotted name of a module; that of an `__init__.py` is its folder's."""
    parts = path.relative_to(REPOSITORY).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imported_names(path: Path, tree: ast.Module) -> list[tuple[int, str]]:
    """Return line and absolute dotted name of every import, those inside functions and `if TYPE_CHECKING:` included.

    `from a.b import c` gives `a.b.c`, whether `c` is a module or not.
    """
    folder = module_name(path.parent / "__init__.py").split(".")
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [(node.lineno, alias.name) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            start = folder[: len(folder) - node.level + 1] if node.level else []
            source = [*start, *([node.module] if node.module else [])]
            found += [(node.lineno, ".".join([*source, alias.name])) for alias in node.names]
    return found
