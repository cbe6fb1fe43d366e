"""Saves code next to a model, such as that of a pipeline, so that it loads where hf_fashion is not installed.

transformers loads a flat folder of modules that import each other as siblings. So a class's module is copied with all
modules that it imports relatively, from any folder of the package, and those imports are rewritten to siblings.
Imports of hf_fashion by name are left as they are: they belong inside `try`.
"""

from __future__ import annotations

import ast
import inspect
import re
from pathlib import Path


def save_code(saved_class: type, folder: str | Path) -> None:
    """Write the module of a class, and all that it imports relatively, flat into a folder.

    Args:
        saved_class (`type`): a class of the package, or one that was loaded from such a folder.
        folder (`str` or `Path`): an existing folder.

    Raises:
        ValueError: two of the modules have the same name, or one cannot be copied.
    """
    for name, source in flat_modules(Path(inspect.getfile(saved_class))).items():
        Path(folder, name).write_text(source, encoding="utf-8")


def flat_modules(start: Path) -> dict[str, str]:
    """Collect a module and all that it imports relatively, with imports of siblings only.

    Args:
        start (`Path`): the module's file.

    Returns:
        `dict[str, str]`: file name -> source.

    Raises:
        ValueError: two of the modules have the same name, or one cannot be copied.
    """
    paths: dict[str, Path] = {}
    sources: dict[str, str] = {}
    waiting = [start]
    while waiting:
        path = waiting.pop()
        known = paths.setdefault(path.name, path)
        if known != path:
            raise ValueError(f"{known} and {path} would be saved under one name, {path.name}: rename one of them")
        if path.name not in sources:
            sources[path.name], imported = _flattened(path)
            waiting += imported
    return sources


def _flattened(path: Path) -> tuple[str, list[Path]]:
    """The source with imports of siblings only, and the files that it imports."""
    lines, imported = path.read_text(encoding="utf-8").splitlines(keepends=True), []
    for node in ast.walk(ast.parse("".join(lines))):
        if isinstance(node, ast.ImportFrom) and node.level:
            line = lines[node.lineno - 1]
            if node.module is None:
                raise ValueError(f"{path}, line {node.lineno}: transformers does not follow {line.strip()!r}")
            imported.append(path.parents[node.level - 1].joinpath(*node.module.split(".")).with_suffix(".py"))
            lines[node.lineno - 1] = re.sub(r"from\s+\.+[\w.]+\s+import", f"from .{imported[-1].stem} import", line)
    return "".join(lines), imported
