"""Flags of the launcher count where the recipe leaves them out; contradictions and split models are refused."""

import os
import subprocess
import sys

import pytest

from hf_fashion.training import launcher
from hf_fashion.training.launcher import launcher_flags, take_over_launcher, warn_of_processes
from hf_fashion.training.recipe import TrainingRecipe
from tests.scripts.tiny_run import REPOSITORY


PRINT_SETTINGS = """
from hf_fashion.training.launcher import take_over_launcher
from hf_fashion.training.recipe import TrainingRecipe
settings = TrainingRecipe()
take_over_launcher(settings)
print("settings", settings.mixed_precision, settings.gradient_accumulation_steps)
"""


@pytest.fixture(autouse=True)
def no_launcher(monkeypatch):
    for name in ("MIXED_PRECISION", "GRADIENT_ACCUMULATION_STEPS", "USE_FSDP", "USE_DEEPSPEED"):
        monkeypatch.delenv(f"ACCELERATE_{name}", raising=False)
    monkeypatch.setattr(launcher, "_command_of_parent", lambda: ["/bin/bash"])


def launched_by(monkeypatch, *flags: str, environment: str = "no") -> None:
    words = ["/venv/bin/python", "/venv/bin/accelerate", "launch", *flags, "train.py", "--gradient_accumulation_steps"]
    monkeypatch.setattr(launcher, "_command_of_parent", lambda: [*words, "9"])
    monkeypatch.setenv("ACCELERATE_MIXED_PRECISION", environment)


def taken_over(**settings) -> tuple[str, int]:
    recipe = TrainingRecipe(**settings)
    take_over_launcher(recipe)
    return recipe.mixed_precision, recipe.gradient_accumulation_steps


def test_without_a_launcher_the_recipe_counts():
    assert taken_over() == ("no", 1)
    assert taken_over(mixed_precision="bf16", gradient_accumulation_steps=4) == ("bf16", 4)


def test_the_launcher_counts_where_the_recipe_says_nothing(monkeypatch):
    launched_by(monkeypatch, "--mixed_precision", "bf16", "--gradient_accumulation_steps=4", environment="bf16")
    assert taken_over() == ("bf16", 4)
    assert taken_over(mixed_precision="bf16", gradient_accumulation_steps=4) == ("bf16", 4)


def test_a_configuration_file_of_the_launcher_counts_too(monkeypatch):
    launched_by(monkeypatch, environment="fp16")
    assert taken_over() == ("fp16", 1)


def test_the_launchers_default_is_no_wish(monkeypatch):
    launched_by(monkeypatch)
    assert taken_over() == ("no", 1)
    assert taken_over(mixed_precision="bf16", gradient_accumulation_steps=2) == ("bf16", 2)


@pytest.mark.parametrize(
    ("flags", "environment", "settings", "message"),
    [
        (["--mixed_precision", "bf16"], "bf16", {"mixed_precision": "no"}, "mixed_precision` of the recipe is no"),
        (["--mixed_precision", "no"], "no", {"mixed_precision": "fp16"}, "is fp16, `accelerate launch` says no"),
        ([], "fp16", {"mixed_precision": "bf16"}, "is bf16, `accelerate launch` says fp16"),
        (["--mixed_precision", "fp8"], "fp8", {}, "must be one of no, fp16, bf16; got 'fp8'"),
        (
            ["--gradient_accumulation_steps", "4"],
            "no",
            {"gradient_accumulation_steps": 2},
            "`training.gradient_accumulation_steps` of the recipe is 2, `accelerate launch` says 4",
        ),
    ],
)
def test_contradictions_are_refused(monkeypatch, flags, environment, settings, message):
    launched_by(monkeypatch, *flags, environment=environment)
    with pytest.raises(ValueError, match=message):
        taken_over(**settings)


@pytest.mark.parametrize(("variable", "name"), [("USE_FSDP", "FSDP"), ("USE_DEEPSPEED", "DeepSpeed")])
def test_split_models_are_refused(monkeypatch, variable, name):
    monkeypatch.setenv(f"ACCELERATE_{variable}", "true")
    with pytest.raises(ValueError, match=f"asks for {name}, which splits a model"):
        taken_over()


@pytest.mark.parametrize(
    "words",
    [
        ["/venv/bin/python", "/venv/bin/accelerate", "launch", "--cpu", "train.py"],
        ["python", "-m", "accelerate.commands.launch", "--cpu", "train.py"],
        ["/venv/bin/accelerate-launch", "--cpu", "train.py"],
    ],
)
def test_each_form_of_the_launcher_is_known(monkeypatch, words):
    monkeypatch.setattr(launcher, "_command_of_parent", lambda: words)
    assert launcher_flags()["cpu"] and launcher_flags()["training_script"] == "train.py"


def test_flags_of_a_real_launcher_reach_the_settings(tmp_path):
    (tmp_path / "script.py").write_text(PRINT_SETTINGS)
    flags = ["--cpu", "--num_processes", "1", "--mixed_precision", "bf16", "--gradient_accumulation_steps", "4"]
    command = [sys.executable, "-m", "accelerate.commands.launch", *flags, str(tmp_path / "script.py")]
    environment = os.environ | {"PYTHONPATH": str(REPOSITORY)}
    printed = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)
    assert "settings bf16 4" in printed.stdout, printed.stderr


@pytest.mark.parametrize(
    ("flags", "number", "said"),
    [(["--num_processes", "2"], 1, True), (["--num_processes=2"], 2, False), ([], 1, False)],
)
def test_processes_that_were_not_started_are_said(monkeypatch, caplog, flags, number, said):
    launched_by(monkeypatch, *flags)
    warn_of_processes(number)
    assert ("asked for 2 processes and has started 1" in caplog.text) == said
