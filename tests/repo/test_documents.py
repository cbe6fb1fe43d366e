"""The documents are tested: their Python runs, their commands exist and take the options that are shown."""

import importlib
import os
import re
import shlex
import tomllib
from itertools import takewhile
from pathlib import Path

import pytest
from PIL import Image

from hf_fashion.cli.main import COMMANDS, parse_arguments
from hf_fashion.cli.train import read_recipe
from tests.hub_server import HubServer
from tests.repo.example_files import save_example_files
from tests.repo.tree import REPOSITORY, repository_files, short


DOCUMENTS = [path for path in repository_files() if path.suffix == ".md"]
GUIDES = [path for path in DOCUMENTS if path == REPOSITORY / "README.md" or path.parent.name == "docs"]


def blocks(path: Path, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", path.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


def commands() -> list[tuple[Path, list[str]]]:
    lines = [
        (path, shlex.split(line, comments=True))
        for path in DOCUMENTS
        for block in blocks(path, "bash")
        for line in block.replace("\\\n", " ").splitlines()
    ]
    return [(path, words) for path, words in lines if words]


def script_and_arguments(words: list[str]) -> tuple[str, list[str]] | None:
    """Return script and arguments of `python SCRIPT ...` and `accelerate launch ... SCRIPT ...`."""
    scripts = [number for number, word in enumerate(words) if word.endswith(".py")]
    return (words[scripts[0]], words[scripts[0] + 1 :]) if scripts else None


@pytest.mark.parametrize("path", GUIDES, ids=short)
def test_python_runs_when_pasted(path, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", Image.MAX_IMAGE_PIXELS)  # the handler of an endpoint lowers it
    save_example_files()
    with HubServer() as hub:
        if "push_to_hub" in path.read_text(encoding="utf-8"):
            hub.use_here(monkeypatch)
        names = {}
        for block in blocks(path, "python"):
            exec(compile(block, str(path), "exec"), names)


@pytest.mark.parametrize(
    ("path", "words"), commands(), ids=lambda value: short(value) if isinstance(value, Path) else ""
)
def test_command_exists(path, words, monkeypatch):
    monkeypatch.chdir(REPOSITORY)
    found = script_and_arguments(words)
    if words[1:2] == ["launch"] and "hf_fashion" in words:
        words = ["hf-fashion", *words[words.index("hf_fashion") + 1 :]]
    if words[0] == "make":
        makefile = (REPOSITORY / "Makefile").read_text(encoding="utf-8")
        assert all(re.search(rf"^{re.escape(target)}:", makefile, re.MULTILINE) for target in words[1:])
    elif Path(words[0]).name == "hf-fashion":
        parsed = parse_arguments(list(takewhile(lambda word: word != ">", words[1:])))
        assert callable(parsed.run)
        if words[1] == "train":  # the recipe is there, and takes the changes
            read_recipe(parsed)
    elif found:
        script, arguments = found
        assert Path(script).is_file()
        check_arguments(script, arguments, monkeypatch)
    else:
        pytest.fail(f"{short(path)}: no test knows the command {shlex.join(words)}")


def test_searches_ask_for_no_more_than_the_guides_gallery_has():
    """docs/retrieval.md embeds 60 products; the pipeline refuses a larger `top_k`."""
    texts = [path.read_text(encoding="utf-8") for path in DOCUMENTS] + [
        command.__doc__ for command in COMMANDS.values()
    ]
    numbers = [int(number) for text in texts for number in re.findall(r"--top_k (\d+)", text)]
    assert numbers and max(numbers) <= 60


def check_arguments(script: str, arguments: list[str], monkeypatch) -> None:
    """The script's own parser takes the arguments."""
    module = importlib.import_module(script.removesuffix(".py").replace(os.sep, "."))
    if hasattr(module, "parse_arguments"):
        monkeypatch.setattr("sys.argv", [script, *arguments])
        module.parse_arguments()


@pytest.mark.parametrize("path", DOCUMENTS, ids=short)
def test_links_lead_somewhere(path):
    targets = re.findall(r"\]\((?!https?:|#)([^)#]+)", path.read_text(encoding="utf-8"))
    assert [target for target in targets if not (path.parent / target).exists()] == []


def test_the_readme_names_the_extras():
    extras = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    named = re.search(r"Extras: (.*?)\.\n", (REPOSITORY / "README.md").read_text(encoding="utf-8"), re.DOTALL).group(1)
    assert set(re.findall(r"`([a-z-]+)`", named)) - {"evaluate"} == extras.keys() - {"dev", "docs"}
