"""Arrows point down: a room imports only from itself and from lower rooms, and only a store names its database."""

import ast
import re
from collections import Counter
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

from tests.repo.tree import PACKAGE, imported_names, module_name, python_modules, short, syntax_tree


# From the lowest floor to the highest. Rooms of one floor do not import each other.
FLOORS = (
    (
        *("messages", "files", "images", "texts", "travelling_code", "yaml_files", "hub_ids", "versions"),
        *("input_errors", "fetching"),
    ),
    ("models", "metrics", "losses", "commits", "cards"),
    ("data",),
    ("embedding",),
    ("retrieval",),
    ("evaluation",),
    ("audit",),
    ("reports",),
    ("hub", "pipelines"),
    ("training",),
    ("cli",),
)
FLOOR = {room: floor for floor, rooms in enumerate(FLOORS) for room in rooms}
# They belong to no room: the lazy public names, what registers them, and `python -m hf_fashion`.
ABOVE_ALL = {"hf_fashion", "hf_fashion._registration", "hf_fashion.__main__"}
MODULES = {module_name(path): path for path in python_modules()}
IN_ROOMS = {name: path for name, path in MODULES.items() if name not in ABOVE_ALL}

LARGEST_FOLDER = 15
DATABASE = re.compile(r"(?<![A-Za-z])[Ll]ance(?![a-z])|(?i:lancedb|milvus)")
STORES = PACKAGE / "retrieval" / "stores"
NAME_A_DATABASE = {STORES / "opening.py", *(STORES / "lance").glob("*.py"), *(STORES / "milvus").glob("*.py")}


def room(name: str) -> str:
    return name.split(".")[1]


def imports_of_package(path: Path, tree: ast.Module) -> list[tuple[int, str]]:
    """Return line and module of every import of hf_fashion: the module itself where a name in it is imported."""
    found = []
    for line, name in imported_names(path, tree):
        if name.split(".")[0] == "hf_fashion":
            found.append((line, name if name in MODULES else name.rpartition(".")[0] or name))
    return found


def wrong_arrows(path: Path, tree: ast.Module) -> list[str]:
    own = room(module_name(path))
    wrong = []
    for line, target in imports_of_package(path, tree):
        if target in ABOVE_ALL:
            wrong.append(f"line {line}: {own} -> {target}, which belongs to no room: import the name from its module")
        elif own != room(target) and FLOOR[own] <= FLOOR[room(target)]:
            wrong.append(f"line {line}: {own} -> {target}")
    return wrong


def circle(imports: dict[str, set[str]]) -> list[str]:
    """Return the modules of a circle of imports, empty where there is none."""
    try:
        TopologicalSorter(imports).prepare()
    except CycleError as error:
        return error.args[1]
    return []


def test_every_room_has_a_floor():
    assert {room(name) for name in IN_ROOMS} == set(FLOOR)


@pytest.mark.parametrize("path", IN_ROOMS.values(), ids=short)
def test_arrows_point_down(path):
    assert wrong_arrows(path, syntax_tree(path)) == []


@pytest.mark.parametrize(
    ("line", "number"),
    [
        ("from ..evaluation.reranking import x", 1),
        ("def f():\n    from hf_fashion.cli import main", 1),
        ("if TYPE_CHECKING:\n    import hf_fashion.pipelines", 1),
        ("from .. import evaluation", 1),
        ("from hf_fashion import Gallery", 1),
        ("from ..metrics import ranking", 0),
        ("from .results import x\nfrom . import results\nfrom ..files import y\nimport torch", 0),
    ],
)
def test_a_wrong_arrow_is_seen(line, number):
    assert len(wrong_arrows(PACKAGE / "retrieval" / "planted.py", ast.parse(line))) == number


@pytest.mark.parametrize(("line", "number"), [("from ..models import e2", 1), ("from .gather import x", 0)])
def test_losses_and_metrics_know_no_model(line, number):
    assert len(wrong_arrows(PACKAGE / "losses" / "planted.py", ast.parse(line))) == number


def test_modules_import_each_other_in_no_circle():
    assert circle({name: {m for _, m in imports_of_package(p, syntax_tree(p))} for name, p in IN_ROOMS.items()}) == []


def test_a_circle_is_seen():
    assert set(circle({"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}})) == {"a", "b", "c"}
    assert circle({"a": {"b", "c"}, "b": {"c"}}) == []


def database_names(text: str) -> list[str]:
    lines = enumerate(text.splitlines(), 1)
    return [f"line {number}: {line.strip()}" for number, line in lines if DATABASE.search(line)]


@pytest.mark.parametrize("path", sorted(set(python_modules()) - NAME_A_DATABASE), ids=short)
def test_only_a_store_names_its_database(path):
    assert database_names(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    ("text", "number"), [("import lancedb", 1), ("# as Milvus does", 1), ("LanceStore()", 1), ("a balance\nglance", 0)]
)
def test_a_database_is_seen(text, number):
    assert len(database_names(text)) == number


def test_no_folder_is_too_full_to_read():
    """Model folders excepted: they travel flat; and the command line, which has a file for each command."""
    folders = Counter(path.parent for path in python_modules() if path.name != "__init__.py")
    full = {short(folder): number for folder, number in folders.items() if number > LARGEST_FOLDER}
    assert [folder for folder in full if not folder.startswith(("hf_fashion/models/", "hf_fashion/cli"))] == []
