"""How commands and scripts end: exit codes and messages."""

import pytest
from safetensors import SafetensorError

from hf_fashion import E2Config
from hf_fashion.cli.ending import run_command


def failing(error: BaseException):
    def run():
        raise error

    return run


def test_a_command_that_does_its_work_ends_with_0(capsys):
    assert run_command(lambda: print("done")) == 0
    assert capsys.readouterr() == ("done\n", "")


@pytest.mark.parametrize("error", [ValueError("no column"), OSError("disk full"), SafetensorError("cut")])
def test_an_error_in_the_input_is_a_line(error, capsys):
    assert run_command(failing(error), "evaluate_e2.py") == 2
    assert capsys.readouterr().err == f"evaluate_e2.py: error: {error}\n"


def test_a_field_of_a_wrong_type_is_named(capsys):
    assert run_command(lambda: E2Config(region_loss_weight="high")) == 2
    told = capsys.readouterr().err
    assert told.startswith("hf-fashion: error: Validation error for field 'region_loss_weight':\n    TypeError: Field")


@pytest.mark.parametrize(("stopped", "told"), [("Start it again.", " Start it again."), ("", "")])
def test_ctrl_c_is_a_line(stopped, told, capsys):
    assert run_command(failing(KeyboardInterrupt()), "quickstart.py", stopped) == 130
    assert capsys.readouterr().err == f"quickstart.py: stopped.{told}\n"


def test_lines_of_a_log_stay_lines(capsys):
    assert run_command(failing(ChildProcessError("E2: training failed:\n    epoch 1\n    out of disk"))) == 2
    assert capsys.readouterr().err == "hf-fashion: error: E2: training failed:\n    epoch 1\n    out of disk\n"


def test_other_errors_keep_their_traceback():
    with pytest.raises(AssertionError):
        run_command(failing(AssertionError("a mistake of ours")))
