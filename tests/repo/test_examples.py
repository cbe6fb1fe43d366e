"""The examples in docstrings run and print what they show."""

import ast
import doctest
import re

import pytest

from tests.repo.example_files import save_example_files
from tests.repo.tree import python_modules, short, syntax_tree


BLOCK = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)


def examples() -> list[tuple[str, str]]:
    """Return (where, code) of each block of Python with `>>>` in a docstring of the package."""
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef)
    return [
        (f"{short(path)}::{getattr(node, 'name', '')}", code)
        for path in python_modules()
        for node in ast.walk(syntax_tree(path))
        if isinstance(node, documented)
        for code in BLOCK.findall(ast.get_docstring(node) or "")
        if ">>>" in code
    ]


def failures(where: str, code: str, output: list[str]) -> int:
    test = doctest.DocTestParser().get_doctest(code, {}, where, where, 0)
    return doctest.DocTestRunner(verbose=False).run(test, out=output.append).failed


@pytest.mark.parametrize(("where", "code"), examples(), ids=lambda value: value if "::" in value else "")
def test_example_runs(where, code, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    save_example_files()
    output = []
    assert failures(where, code, output) == 0, "".join(output)


def test_e2_shows_how_it_is_called():
    shown = {where.rpartition("::")[2] for where, _ in examples() if where.startswith("hf_fashion/models/e2/")}
    assert {"forward", "get_text_features", "get_image_features", "get_region_features"} <= shown


def test_a_wrong_example_is_seen():
    assert failures("planted", ">>> 1 + 1\n3\n", []) == 1
