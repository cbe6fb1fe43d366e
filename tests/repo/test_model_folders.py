"""A model folder is copied to a Hub repository and loaded there, so it must be flat and self-sufficient."""

import ast
from pathlib import Path

import pytest
from transformers.dynamic_module_utils import get_imports, get_relative_imports

from hf_fashion.travelling_code import flat_modules
from tests.repo.tree import ALLOWED, PACKAGE, short, syntax_tree


MODEL_FOLDERS = sorted(path for path in (PACKAGE / "models").iterdir() if (path / "__init__.py").is_file())
# A captioner holds a model of another family: it is saved flat, with all that it imports (`travelling_code.py`).
FLATTENED = PACKAGE / "models" / "captioner"
# The package's own __init__ stays at home and the converters run where hf_fashion is installed.
TRAVELLING = [
    path
    for folder in MODEL_FOLDERS
    for path in sorted(folder.glob("*.py"))
    if path.name != "__init__.py" and not path.name.startswith("convert_")
]


def wrong_imports(path: Path, tree: ast.Module) -> list[str]:
    """Imports that transformers' remote code loader would not follow, each with its line."""
    wrong = []
    siblings = {sibling.stem for sibling in path.parent.glob("*.py")}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            wrong += [f"{node.lineno}: {a.name}" for a in node.names if a.name.split(".")[0] not in ALLOWED]
        elif isinstance(node, ast.ImportFrom):
            if node.level == 0 and node.module.split(".")[0] not in ALLOWED:
                wrong.append(f"{node.lineno}: from {node.module}")
            elif node.level > 1 or (node.level == 1 and node.module not in siblings):
                wrong.append(f"{node.lineno}: from {'.' * node.level}{node.module or ''}")
    return wrong


def test_there_are_model_folders():
    assert MODEL_FOLDERS and TRAVELLING


@pytest.mark.parametrize("path", [path for path in TRAVELLING if path.parent != FLATTENED], ids=short)
def test_imports_travel(path):
    assert wrong_imports(path, syntax_tree(path)) == []


@pytest.mark.parametrize("path", sorted(FLATTENED.glob("[!_]*.py")), ids=short)
def test_what_is_saved_flat_imports_siblings_only(path, tmp_path):
    modules = flat_modules(path)
    for name, source in modules.items():
        (tmp_path / name).write_text(source, encoding="utf-8")
    for name in modules:
        assert set(get_imports(tmp_path / name)) <= ALLOWED
        assert {f"{sibling}.py" for sibling in get_relative_imports(tmp_path / name)} <= set(modules)


@pytest.mark.parametrize("path", TRAVELLING, ids=short)
def test_no_line_of_a_docstring_looks_like_a_relative_import(path):
    """transformers finds the files to copy with a regular expression, which reads docstrings too."""
    in_code = {node.lineno for node in ast.walk(syntax_tree(path)) if isinstance(node, ast.ImportFrom)}
    lines = path.read_text(encoding="utf-8").splitlines()
    looks_like = [n for n, line in enumerate(lines, 1) if line.lstrip().startswith(("from .", "import ."))]
    assert set(looks_like) <= in_code


@pytest.mark.parametrize("folder", MODEL_FOLDERS, ids=short)
def test_folder_is_flat(folder):
    assert [path.name for path in folder.iterdir() if path.is_dir() and path.name != "__pycache__"] == []


@pytest.mark.parametrize(
    "line",
    [
        "import datasets",
        "from hf_fashion.losses import x",
        "from ..losses import x",
        "from . import sibling",
        "from .no import x",
    ],
)
def test_a_wrong_import_is_seen(line, tmp_path):
    assert len(wrong_imports(tmp_path / "modeling_x.py", ast.parse(line))) == 1
