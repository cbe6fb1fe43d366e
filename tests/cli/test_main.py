"""The command as a whole: its help, its parser, and its errors."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from hf_fashion.cli import main as cli
from hf_fashion.messages import listed
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
        assert f"    hf-fashion {name}" in printed


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
    line = [device if word == "cpu" else word for word in searched("--text", "a dress")]
    assert cli.main(line) == 2
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


def test_findings_are_told_one_a_line(monkeypatch, capsys):
    def fail(_):
        raise ValueError(listed("2 of 9 photos\ncannot be read", ["line 3 (id '\x1b[1m')", "line 5"]))

    monkeypatch.setattr(cli.rerank, "run", fail)
    assert cli.main(["rerank", "--gallery", "gallery", "--reranker", "k_reciprocal"]) == 2
    assert capsys.readouterr().err.splitlines() == [
        "hf-fashion: error: 2 of 9 photos cannot be read:",
        r"    line 3 (id '\x1b[1m');",
        "    line 5",
    ]


def test_the_module_can_be_run():
    command = [sys.executable, "-m", "hf_fashion.cli.main", "--help"]
    assert "usage: hf-fashion" in subprocess.run(command, capture_output=True, text=True, cwd=REPOSITORY).stdout


def test_a_mistyped_model_is_told_without_the_hub(folder, capsys):
    command = ["search", "--model", str(folder / "e3"), "--gallery", str(folder / "e2_gallery"), "--text", "a dress"]
    assert cli.main(command) == 2
    (line,) = capsys.readouterr().err.strip().splitlines()
    assert line == (
        f"hf-fashion: error: there is no model in a folder '{folder / 'e3'}' (did you mean '{folder / 'e2'}'?)"
    )


def test_consent_to_code_does_not_come_from_standard_input(folder, tmp_path):
    (tmp_path / "evil").mkdir()
    config = {"model_type": "evil", "auto_map": {"AutoConfig": "evil.Config", "AutoModel": "evil.Model"}}
    (tmp_path / "evil" / "config.json").write_text(json.dumps(config))
    (tmp_path / "evil" / "evil.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\n")
    rerank = ["rerank", "--gallery", str(folder / "e2_gallery"), "--reranker", str(tmp_path / "evil")]
    refused = process(*rerank, stdin="y\n" * 100)
    assert refused.returncode == 2 and "it brings code of its own" in refused.stderr.splitlines()[-1]
    assert not (tmp_path / "ran").exists()
    assert process(*rerank, "--trust_remote_code").returncode == 2  # the code runs, and has no model
    assert (tmp_path / "ran").exists()


def test_ctrl_c_is_one_line(folder, searched):
    command = [sys.executable, "-m", "hf_fashion", "rerank", "--gallery", str(folder / "e2_gallery")]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen([*command, "--reranker", "k_reciprocal"], cwd=REPOSITORY, text=True, **pipes) as running:
        while "lance" not in Path(f"/proc/{running.pid}/maps").read_text():  # the database is being imported
            time.sleep(0.01)
        running.send_signal(signal.SIGINT)
        _, error = running.communicate(timeout=30)
    assert (running.returncode, error) == (130, "hf-fashion: stopped. What is committed is kept\n")


def test_an_error_in_the_place_of_ctrl_c_is_not_told(monkeypatch, capsys):
    def run(_):
        try:
            signal.raise_signal(signal.SIGINT)
        except KeyboardInterrupt:
            raise ImportError("half imported") from None

    before = signal.getsignal(signal.SIGINT)
    monkeypatch.setattr(cli.rerank, "run", run)
    assert cli.main(["rerank", "--gallery", "gallery", "--reranker", "k_reciprocal"]) == 130
    assert capsys.readouterr().err == "hf-fashion: stopped. What is committed is kept\n"
    assert signal.getsignal(signal.SIGINT) is before


def test_output_that_nobody_reads_or_that_has_no_room_is_no_traceback(folder):
    command = [sys.executable, "-m", "hf_fashion", "info", "--gallery", str(folder / "e2_gallery")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=REPOSITORY) as running:
        running.stdout.close()
        assert (running.wait(), running.stderr.read()) == (141, b"")
    with open("/dev/full", "w") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, cwd=REPOSITORY)
    assert (done.returncode, done.stderr) == (2, "hf-fashion: error: [Errno 28] No space left on device\n")


def test_a_full_disk_is_one_line_whoever_tells_it(monkeypatch, capsys):
    def fail(_):
        raise RuntimeError("store error: No space left on device (os error 28), data/1\n\x1b[2J.lance")

    monkeypatch.setattr(cli.rerank, "run", fail)
    assert cli.main(["rerank", "--gallery", "gallery", "--reranker", "k_reciprocal"]) == 2
    told = "hf-fashion: error: store error: No space left on device (os error 28), data/1 \\x1b[2J.lance\n"
    assert capsys.readouterr().err == told


def test_versions_are_shown(capsys):
    with pytest.raises(SystemExit) as end:
        cli.main(["--version"])
    assert end.value.code == 0
    assert re.match(r"hf-fashion \d[\w.]+, transformers 5\.[\d.]+, .*torch 2.*, Python 3\.", capsys.readouterr().out)


def test_a_command_shows_no_bars_of_weights(folder, searched):
    found = process(*searched("--text", "a dress", "--reranker", str(folder / "fr"), "--num_candidates", "5"))
    assert found.returncode == 0 and "Loading weights" not in found.stderr and "%|" not in found.stderr


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


def test_large_photos_are_memory_of_their_own():
    program = (
        "import os, sys\n"
        "from hf_fashion.cli.main import main\n"
        "assert 'PIL.Image' not in sys.modules, 'Pillow has read its settings already'\n"
        "main(['info', '--gallery', 'no_such_gallery'])\n"
        "print(os.environ['PILLOW_BLOCK_SIZE'])\n"
    )
    environment = {name: value for name, value in os.environ.items() if name != "PILLOW_BLOCK_SIZE"}
    for given, expected in (({}, "64m"), ({"PILLOW_BLOCK_SIZE": "32m"}, "32m")):
        done = subprocess.run(
            [sys.executable, "-c", program], env=environment | given, capture_output=True, text=True, check=True
        )
        assert done.stdout.strip() == expected
