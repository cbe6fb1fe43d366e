"""Code under `# Copied from hf_fashion.module.name` is equal to its source (docstring and comments aside)."""

import ast
import re
from pathlib import Path

import pytest

from tests.repo.tree import REPOSITORY, python_modules, short, syntax_tree


MARK = re.compile(r"^# Copied from (?P<module>hf_fashion(?:\.\w+)+)\.(?P<name>\w+)$", re.MULTILINE)


def definition(tree: ast.Module, name: str) -> str:
    """Source of the top-level definition `name`, without docstring and formatting."""
    for node in tree.body:
        if getattr(node, "name", None) == name:
            if ast.get_docstring(node) is not None:
                node = type(node)(**{**dict(ast.iter_fields(node)), "body": node.body[1:]})
            return ast.unparse(ast.fix_missing_locations(node))
    raise AssertionError(f"no top-level definition of {name}")


def copies() -> list[tuple[Path, str, str]]:
    return [
        (path, match["module"], match["name"])
        for path in python_modules()
        for match in MARK.finditer(path.read_text(encoding="utf-8"))
    ]


@pytest.mark.parametrize("path", python_modules(), ids=short)
def test_every_mark_is_understood(path):
    text = path.read_text(encoding="utf-8")
    assert text.count("# Copied from hf_fashion") == len(MARK.findall(text))


@pytest.mark.parametrize(("path", "module", "name"), copies())
def test_copy_equals_its_source(path, module, name):
    source = REPOSITORY.joinpath(*module.split(".")).with_suffix(".py")
    assert definition(syntax_tree(path), name) == definition(syntax_tree(source), name)
