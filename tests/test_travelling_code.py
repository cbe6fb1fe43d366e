"""Modules from several folders become one flat folder of siblings."""

import importlib
import sys
from pathlib import Path

import pytest

from hf_fashion.travelling_code import flat_modules, save_code


SEARCH = '''"""Searches."""

from ..embedding.encode import (
    encode,
)
from .options import TOP_K


def search(text):
    from ..words import count  # needed here only

    try:
        from some_package.gallery import Gallery
    except ImportError:
        Gallery = None
    return encode(text)[:TOP_K], count(text), Gallery


class Search:
    pass
'''
FILES = {
    "pipelines/search.py": SEARCH,
    "pipelines/options.py": "TOP_K = 2\n",
    "embedding/encode.py": "from __future__ import annotations\n\nimport math\n\nfrom ..words import letters\n\n\n"
    "def encode(text):\n    return [math.floor(ord(letter)) for letter in letters(text)]\n",
    "words.py": "def letters(text):\n    return list(text)\n\n\ndef count(text):\n    return len(text)\n",
    "unused.py": "",
}


@pytest.fixture
def package(tmp_path) -> Path:
    root = tmp_path / "a_package"
    for name, source in FILES.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(source)
    return root


@pytest.fixture
def imported(monkeypatch):
    """Imports a module from a folder, and forgets it after the test."""
    before = set(sys.modules)

    def import_from(folder: Path, name: str):
        monkeypatch.syspath_prepend(folder)
        return importlib.import_module(name)

    yield import_from
    for name in set(sys.modules) - before:
        del sys.modules[name]


def test_all_that_is_imported_becomes_siblings(package):
    modules = flat_modules(package / "pipelines" / "search.py")
    assert set(modules) == {"search.py", "options.py", "encode.py", "words.py"}
    assert "from .encode import (\n    encode,\n)\nfrom .options import TOP_K" in modules["search.py"]
    assert "    from .words import count  # needed here only" in modules["search.py"]
    assert "        from some_package.gallery import Gallery" in modules["search.py"]
    assert modules["options.py"] == FILES["pipelines/options.py"]


def test_the_saved_code_runs_and_can_be_saved_again(package, imported, tmp_path):
    here = imported(package.parent, "a_package.pipelines.search")
    for folder in ("flat", "flat_again"):
        (tmp_path / folder).mkdir()
        save_code(here.Search, tmp_path / folder)
        here = imported(tmp_path, f"{folder}.search")
        assert here.search("abc") == ([97, 98], 3, None)
    saved = [sorted((tmp_path / folder).glob("*.py")) for folder in ("flat", "flat_again")]
    assert [path.name for path in saved[0]] == ["encode.py", "options.py", "search.py", "words.py"]
    assert [path.read_text() for path in saved[0]] == [path.read_text() for path in saved[1]]


def test_two_modules_of_one_name_are_refused(package):
    (package / "embedding" / "options.py").write_text("")
    with (package / "embedding" / "encode.py").open("a") as file:
        file.write("\n\nfrom .options import TOP_K\n")
    with pytest.raises(ValueError, match=r"options.py and .*options.py would be saved under one name"):
        flat_modules(package / "pipelines" / "search.py")


def test_an_import_without_a_module_is_refused(package):
    (package / "words.py").write_text("from . import unused\n")
    with pytest.raises(ValueError, match=r"words.py, line 1: transformers does not follow 'from \. import unused'"):
        flat_modules(package / "pipelines" / "search.py")
