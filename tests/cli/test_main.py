"""The command as a whole: its help, its parser, and its errors."""

import re
import subprocess
import sys
from importlib.metadata import EntryPoint

import pytest

from hf_fashion.cli import main as cli
from tests.cli.commands import process
from tests.conftest import REPOSITORY


HELP = """
import sys
from hf_fashion.cli.main import COMMANDS, main
for arguments in (["--help"], *([name, "--help"] for name in COMMANDS)):
    try:
        main(arguments)
    except SystemExit as end:
        assert end.code == 0
print("heavy:", {"torch", "transformers", "datasets", "PIL", "lancedb", "pymilvus"} & set(sys.modules))
"""


def test_help_shows_examples_and_imports_nothing_heavy():
    command = [sys.executable, "-c", HELP]
    printed = subprocess.run(command, capture_output=True, text=True, check=True, cwd=REPOSITORY).stdout
    assert "heavy: set()" in printed
    for name in cli.COMMANDS:
        assert f"usage: hf-fashion {name}" in printed
        assert f"    hf-fashion {name} --" in printed


@pytest.mark.parametrize("name", cli.COMMANDS)
def test_every_example_of_the_help_is_taken(name):
    text = re.sub(r"\\\n\s+", "", cli.COMMANDS[name].__doc__)
    examples = re.findall(r"^    hf-fashion (.+)", text, re.MULTILINE)
    assert examples
    for example in examples:
        words = [quoted or plain for quoted, plain in re.findall(r'"([^"]*)"|(\S+)', example.split(" > ")[0])]
        assert callable(cli.parse_arguments(words).run)


def test_the_installed_command_is_this_one():
    pyproject = (REPOSITORY / "pyproject.toml").read_text(encoding="utf-8")
    (value,) = re.findall(r'^hf-fashion = "(.+)"$', pyproject, re.MULTILINE)
    assert EntryPoint("hf-fashion", value, "console_scripts").load() is cli.main


def test_an_input_error_is_one_line_and_exit_code_2(folder, searched):
    found = process(*searched("--text", "a dress", "--top_k", "99"))
    assert (found.returncode, found.stdout) == (2, "")
    last = found.stderr.strip().splitlines()[-1]
    assert last.startswith("hf-fashion: error: `top_k` must be from 1 to 8")
    assert "Traceback" not in found.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["embed", "--model", "m", "--gallery", "g", "--corpus", "./nowhere"], "no corpus at"),
        (["rerank", "--gallery", "/no/gallery", "--reranker", "k_reciprocal"], "/no/gallery"),
        (["evaluate", "--model", "/no/model", "--corpus", "generated"], "/no/model"),
        (["search", "--model", "m", "--gallery", "g", "--text", "t", "--grid", "g.png"], "--corpus go together"),
    ],
)
def test_what_is_missing_is_named(arguments, message, capsys):
    assert cli.main(arguments) == 2
    printed = capsys.readouterr().err.strip().splitlines()[-1]
    assert printed.startswith("hf-fashion: error: ") and message in printed


@pytest.mark.parametrize(("device", "reason"), [("cuda:97", "cuda"), ("gpu", "Expected one of")])
def test_a_device_that_is_not_here_is_one_line(device, reason, searched, capsys):
    assert cli.main([*searched("--text", "a dress"), "--device", device]) == 2
    printed = capsys.readouterr().err.strip().splitlines()[-1]
    assert printed.startswith("hf-fashion: error: the device must be on this machine")
    assert "such as cpu" in printed and f"got {device!r}" in printed and reason.lower() in printed.lower()


def test_a_photo_that_is_not_there_is_named(searched, capsys):
    assert cli.main(searched("--image", "photos/no_such.jpg")) == 2
    printed = capsys.readouterr().err.strip().splitlines()[-1]
    assert printed == "hf-fashion: error: the photo 'photos/no_such.jpg' cannot be read: there is no such file"


def test_an_error_that_another_process_told_of_is_left_to_that_one(monkeypatch, capsys):
    error = OSError("process 1 failed with OSError: no room")

    def fail(_):
        raise error

    monkeypatch.setattr(cli.rerank, "run", fail)
    command = ["rerank", "--gallery", "gallery", "--reranker", "k_reciprocal"]
    assert cli.main(command) == 2 and "no room" in capsys.readouterr().err
    error.told_by_another = True
    assert cli.main(command) == 2 and capsys.readouterr().err == ""


def test_the_module_can_be_run():
    command = [sys.executable, "-m", "hf_fashion.cli.main", "--help"]
    assert "usage: hf-fashion" in subprocess.run(command, capture_output=True, text=True, cwd=REPOSITORY).stdout


def test_a_bug_keeps_its_traceback(monkeypatch):
    def run(_):
        raise TypeError("a bug")

    monkeypatch.setattr(cli.embed, "run", run)
    with pytest.raises(TypeError, match="a bug"):
        cli.main(["embed", "--model", "m", "--gallery", "g", "--corpus", "c"])


@pytest.mark.parametrize("term", ["green shirt", "green shirt=much"])
def test_a_term_without_a_weight_is_refused(term, capsys):
    with pytest.raises(SystemExit):
        cli.parse_arguments(["search", "--model", "m", "--gallery", "g", "--term", term])
    assert 'must be "TEXT=WEIGHT"' in capsys.readouterr().err
