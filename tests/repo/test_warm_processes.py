"""Processes of the tests that have imported the libraries: they print, read, end and are killed like any other."""

import signal
import subprocess

import pytest

from tests.warm_processes import WarmProcess, run_warm


def test_it_reads_and_prints_and_has_its_own_arguments_folder_and_variables(tmp_path):
    code = "import os, sys; print(sys.argv, os.getcwd(), os.environ['A'], input()); print('said', file=sys.stderr)"
    ended = run_warm(["-c", code, "x", tmp_path], cwd=tmp_path, environment={"A": "1"}, stdin="typed\n")
    assert ended.stdout == f"['-c', 'x', '{tmp_path}'] {tmp_path} 1 typed\n"
    assert ended.stderr == "said\n" and ended.returncode == 0


@pytest.mark.parametrize(
    ("code", "expected"), [("raise SystemExit(3)", 3), ("1 / 0", 1), ("import os; os.kill(os.getpid(), 9)", -9)]
)
def test_its_exit_code_is_that_of_python(code, expected):
    ended = run_warm(["-c", code])
    assert ended.returncode == expected
    assert ("ZeroDivisionError" in ended.stderr) == (expected == 1)


def test_the_libraries_are_there_and_nothing_runs_in_threads():
    code = "import sys, threading; print('torch' in sys.modules, 'lancedb' in sys.modules, threading.active_count())"
    assert run_warm(["-c", code]).stdout == "True False 1\n"


def test_two_draw_other_numbers():
    code = "import random, numpy; print(random.random(), numpy.random.random())"
    first, second = (run_warm(["-c", code]).stdout.split() for _ in range(2))
    assert first[0] != second[0] and first[1] != second[1]


def test_it_is_stopped_as_others_are():
    running = WarmProcess(["-c", "import time; time.sleep(60)"])
    assert running.poll() is None
    running.send_signal(signal.SIGTERM)
    assert running.wait(timeout=30) == -signal.SIGTERM
    running = WarmProcess(["-c", "import time; time.sleep(60)"])
    with pytest.raises(subprocess.TimeoutExpired):
        running.wait(timeout=0.1)


def test_variables_that_libraries_have_read_are_refused(monkeypatch):
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:1")
    with pytest.raises(AssertionError, match="use a process of its own"):
        WarmProcess(["-c", ""])
