"""The `Args:` of a docstring name the parameters of the function, all of them, in order, each with its type."""

import ast
import re
from itertools import takewhile

import pytest

from tests.repo.tree import python_modules, short, syntax_tree


def documented_arguments(docstring: str) -> list[tuple[str, bool]] | None:
    """Return name, and whether it has a type, of each entry of `Args:`; `None` when there is no such section."""
    lines = docstring.splitlines()
    if "Args:" not in lines:
        return None
    if lines[0] == "Args:" and not lines[1].startswith(" "):  # cleaning took the indentation along
        lines[1:] = [f"    {line}" for line in lines[1:]]
    found = []
    for line in takewhile(lambda line: not line or line.startswith(" "), lines[lines.index("Args:") + 1 :]):
        if match := re.match(r"    (\w+(?:, \w+)*)(?: \((.*?)\))?:", line):
            has_type = (match[2] or "").startswith(("`", "[`"))
            found += [(name, has_type) for name in match[1].split(", ")]
    return found


def documented_names(docstring: str) -> list[str] | None:
    documented = documented_arguments(docstring)
    return documented if documented is None else [name for name, _ in documented]


def parameter_names(function: ast.FunctionDef) -> tuple[list[str], list[str]]:
    """(parameters that must be documented, `*args` and `**kwargs`, which may be)."""
    arguments = function.args
    named = [a.arg for a in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)]
    if named and named[0] in ("self", "cls"):
        named = named[1:]
    return named, [a.arg for a in (arguments.vararg, arguments.kwarg) if a is not None]


def class_parameter_names(node: ast.ClassDef) -> tuple[list[str], list[str]]:
    """The parameters of `__init__`, or the fields that a dataclass adds; what it inherits may be documented too."""
    for statement in node.body:
        if isinstance(statement, ast.FunctionDef) and statement.name == "__init__":
            return parameter_names(statement)
    fields = [statement for statement in node.body if isinstance(statement, ast.AnnAssign)]
    own = [field.target.id for field in fields if "ClassVar" not in ast.unparse(field.annotation)]
    return own, [name for name in documented_names(ast.get_docstring(node) or "") or [] if name not in own]


def mismatches(tree: ast.Module) -> list[str]:
    found = []
    for node in ast.walk(tree):
        if not isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            continue
        documented = documented_names(ast.get_docstring(node) or "")
        named, optional = (class_parameter_names if isinstance(node, ast.ClassDef) else parameter_names)(node)
        if documented is not None and [name for name in documented if name not in optional] != named:
            found.append(f"{node.name} (line {node.lineno}): Args {documented}, signature {named + optional}")
    return found


def untyped(tree: ast.Module) -> list[str]:
    nodes = [node for node in ast.walk(tree) if isinstance(node, (ast.FunctionDef, ast.ClassDef))]
    return [
        f"{node.name} (line {node.lineno}): {name}"
        for node in nodes
        for name, has_type in documented_arguments(ast.get_docstring(node) or "") or []
        if not has_type
    ]


@pytest.mark.parametrize("path", python_modules(), ids=short)
def test_args_equal_the_signature(path):
    assert mismatches(syntax_tree(path)) == []


@pytest.mark.parametrize("path", python_modules(), ids=short)
def test_args_have_types(path):
    """As in transformers: ``name (`type`, *optional*, defaults to `x`): ...``."""
    assert untyped(syntax_tree(path)) == []


@pytest.mark.parametrize(("signature", "number"), [("a, b", 1), ("b, a", 1), ("a", 0), ("a, **kwargs", 0)])
def test_a_difference_is_seen(signature, number):
    source = f'def f({signature}):\n    """What.\n\n    Args:\n        a (`int`): first.\n    """\n'
    assert len(mismatches(ast.parse(source))) == number


@pytest.mark.parametrize(
    ("entry", "number"),
    [("a: first", 1), ("a (first): it", 1), ("a (`int`, *optional*): first", 0), ("a ([`E2Config`]): first", 0)],
)
def test_a_missing_type_is_seen(entry, number):
    source = f'def f(a):\n    """What.\n\n    Args:\n        {entry}\n    """\n'
    assert mismatches(ast.parse(source)) == [] and len(untyped(ast.parse(source))) == number
