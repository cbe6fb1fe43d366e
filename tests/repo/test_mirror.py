"""The tests mirror the package: `tests/a/test_b.py` tests `hf_fashion/a/b.py`; no test module imports from another."""

import ast
from pathlib import Path

import pytest

from tests.repo.tree import PACKAGE, REPOSITORY, imported_names, python_modules, repository_files, short, syntax_tree


TESTS = REPOSITORY / "tests"
TEST_MODULES = [path for path in repository_files() if TESTS in path.parents and path.suffix == ".py"]
UNTESTED_NAMES = {"__init__.py", "__main__.py"}
# These test no single module; the scripts of `training/` are mirrored by `tests/scripts`.
FREE_FOLDERS = {"repo", "hub", "space"}
# Test modules of several modules together.
TOGETHER = {
    "data/test_messy_feeds.py",
    "models/test_precision.py",
    "pipelines/test_attribute_queries.py",
    "pipelines/test_batches.py",
    "pipelines/test_entity_queries.py",
    "pipelines/test_registration.py",
    "pipelines/test_reranking.py",
    "retrieval/test_region_galleries.py",
    "test_same_pixels.py",
}


def mirrored(path: Path) -> Path:
    """Return where the tests of a module are; the leading underscore of a private module is left out."""
    relative = path.relative_to(PACKAGE)
    return TESTS / relative.parent / f"test_{relative.name.lstrip('_')}"


def sources(test: Path) -> list[Path]:
    """Return the files that a test module may mirror."""
    relative = test.relative_to(TESTS)
    name = relative.name.removeprefix("test_")
    if relative.parts[0] == "scripts":
        return [REPOSITORY / "training" / name]
    folder = PACKAGE / relative.parent
    return [folder / name, folder / f"_{name}", folder / name.removeprefix("common_")]


def imports_of_tests(path: Path, tree: ast.Module) -> list[str]:
    return [
        f"line {line}: {name}"
        for line, name in imported_names(path, tree)
        if name.startswith("tests.") and any(part.startswith("test_") for part in name.split("."))
    ]


@pytest.mark.parametrize("path", [path for path in python_modules() if path.name not in UNTESTED_NAMES], ids=short)
def test_every_module_has_a_test_module(path):
    assert mirrored(path).is_file(), f"{short(path)} needs {short(mirrored(path))}"


def test_every_test_module_mirrors_something():
    tests = [path for path in TEST_MODULES if path.name.startswith("test_")]
    bound = [path for path in tests if path.relative_to(TESTS).parts[0] not in FREE_FOLDERS]
    lost = [path for path in bound if not any(source.is_file() for source in sources(path))]
    assert {str(path.relative_to(TESTS)) for path in lost} == TOGETHER


def test_no_test_module_is_imported():
    found = {short(path): imports_of_tests(path, syntax_tree(path)) for path in TEST_MODULES}
    assert {path: imports for path, imports in found.items() if imports} == {}


@pytest.mark.parametrize(
    ("line", "number"),
    [
        ("from tests.repo.test_tree import x", 1),
        ("from .test_tree import x", 1),
        ("from . import test_tree", 1),
        ("import tests.repo.test_tree", 1),
        ("from tests.repo.tree import short", 0),
    ],
)
def test_an_import_of_a_test_module_is_seen(line, number):
    assert len(imports_of_tests(TESTS / "repo" / "planted.py", ast.parse(line))) == number
