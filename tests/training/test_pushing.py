"""Runs that push their best model to a Hub on loopback: when, what, again after a failure, and never ended by one."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from hf_fashion.cli.main import main
from hf_fashion.hub.cards.merge import card_for_hub
from hf_fashion.training.e2.train import PRINTED
from tests.hub.model_repositories import contents
from tests.hub_server import Fault, HubServer
from tests.scripts.tiny_run import history, tiny_corpus, tiny_recipe, train


STAGES = [{"epochs": 2, "learning_rate": 1e-2}]  # 12 updates
BEST = "validation/sum_recall"


@pytest.fixture
def recipe(tmp_path) -> Path:
    tiny_corpus(tmp_path)
    return tiny_recipe(tmp_path, stages=STAGES, eval_every=3)


@pytest.fixture
def run(recipe, fresh_accelerate) -> Callable[..., int]:
    """Return a function that trains in this process and returns the exit code."""

    def run(*arguments: str) -> int:
        fresh_accelerate()
        return main(["train", "e2", str(recipe), *arguments])

    return run


def commits(hub: HubServer, name: str) -> list[dict[str, bytes]]:
    """Return path -> content of each commit of a model's repository, without the first, empty one."""
    _, *made = hub.repositories["model", name].commits.values()
    return [{path: file.content for path, file in files.items() if path != "pushed_files.json"} for files in made]


def pushed(folder: Path, name: str = "tester/run") -> dict[str, bytes]:
    """Return path -> content of a model's folder as it is pushed: its card names the repository."""
    return contents(folder) | {"README.md": card_for_hub(folder, name).encode()}


def improvements(folder: Path) -> int:
    """Return the number of best models that a run has had."""
    found = [entry[BEST] for entry in history(folder) if BEST in entry]
    return sum(value > max(found[:number], default=-1) for number, value in enumerate(found))


def test_each_best_model_is_pushed_at_its_checkpoint(hub, run, tmp_path, capsys):
    flags = ["--push_to_hub", "--hub_model_id", "a", "--hub_strategy", "every_save", "--hub_private"]
    assert run(*flags) == 0
    made = commits(hub, "tester/a")
    assert len(made) == improvements(tmp_path / "run")
    assert made[-1] == pushed(tmp_path / "run" / "best", "tester/a")
    assert hub.repositories["model", "tester/a"].private
    assert f"pushed: {tmp_path / 'run' / 'best'} to http://" in capsys.readouterr().out


def test_the_repository_is_named_like_the_output_folder_and_gets_one_commit_at_the_end(hub, run, tmp_path):
    assert run("--push_to_hub") == 0
    assert commits(hub, "tester/run") == [pushed(tmp_path / "run" / "best")]
    assert {"model.safetensors", "tokenizer.json", "modeling_e2.py"} <= set(commits(hub, "tester/run")[0])


@pytest.mark.parametrize(
    ("token", "flags", "message"),
    [
        ("hf_wrong", ["--hub_private"], "the Hub does not know the token"),
        ("", ["--hub_private"], "there is no token"),
        ("hf_x", ["--hub_model_id", "my models/e2"], "`training.hub_model_id`: `repo_id` must be an id on the Hub"),
        ("hf_x", ["--hub_strategy", "end", "--set", "training.hub_strategy=checkpoint"], ""),
    ],
)
def test_what_is_wrong_is_told_before_the_run_starts(token, flags, message, hub, run, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("HF_TOKEN", token)
    code = run("--push_to_hub", *flags)
    told = capsys.readouterr().err
    if message:
        assert code == 2 and message in told and "Traceback" not in told
        assert token == "" or token not in told
        assert not (tmp_path / "run").exists()
    else:
        assert code == 0  # a flag overrules --set


def test_without_push_to_hub_nothing_is_pushed_and_that_is_told(hub, run, capsys):
    flags = ["--hub_model_id", "a", "--hub_private", "--hub_strategy", "every_save"]
    assert run(*flags, "--set", "training.stages=[{epochs: 0.5, learning_rate: 0.001}]") == 0
    assert hub.repositories == {}
    printed = capsys.readouterr().out
    for name in ("hub_model_id", "hub_private", "hub_strategy"):
        assert f"`training.{name}` is set and `training.push_to_hub` is not" in printed


def test_a_push_that_fails_at_the_end_loses_nothing_and_is_made_again(hub, run, tmp_path, caplog, capsys):
    hub.faults.append(Fault("commit", times=99, status=500))
    assert run("--push_to_hub", "--hub_private") == 0
    assert json.loads((tmp_path / "run" / "results.json").read_text())["best_sum_recall"] > 0
    best = tmp_path / "run" / "best"
    command = f"hf-fashion push {best} tester/run --private"
    assert "the push to tester/run failed" in caplog.text and f"The model is in {best}." in caplog.text
    assert f"Push it again by: {command}" in caplog.text and commits(hub, "tester/run") == []

    hub.faults.clear()
    assert main(command.split()[1:]) == 0
    assert commits(hub, "tester/run") == [pushed(best)]
    assert run("--push_to_hub", "--resume_from_checkpoint", "latest") == 0
    assert commits(hub, "tester/run") == [pushed(best)], "what is there is not pushed again"


def test_a_push_that_fails_at_a_checkpoint_is_made_at_the_next_one(hub, run, tmp_path, caplog):
    hub.faults.append(Fault("commit", times=6, status=500))  # all tries of the first push
    assert run("--push_to_hub", "--hub_strategy", "every_save") == 0
    assert caplog.text.count("Push it again by:") == 1
    assert commits(hub, "tester/run")[-1] == pushed(tmp_path / "run" / "best")


def test_a_stopped_run_goes_on_pushing(hub, run, tmp_path, monkeypatch):
    """Also what it could not push before it was stopped, as the Hub was down."""
    flags = ["--push_to_hub", "--hub_strategy", "every_save"]
    hub.faults.append(Fault("commit", times=99, status=500))
    evaluations = iter((0.5, 1.0))  # no later model is better

    def validate_or_stop(*_):
        value = next(evaluations, None)
        if value is None:
            raise KeyboardInterrupt
        return dict.fromkeys(PRINTED, value)

    monkeypatch.setattr("hf_fashion.training.e2.train.validate", validate_or_stop)
    assert run(*flags) == 130 and commits(hub, "tester/run") == []
    best = pushed(tmp_path / "run" / "best")

    hub.faults.clear()
    monkeypatch.setattr("hf_fashion.training.e2.train.validate", lambda *_: dict.fromkeys(PRINTED, 0.25))
    assert run(*flags, "--resume_from_checkpoint", "latest") == 0
    assert commits(hub, "tester/run") == [best] and pushed(tmp_path / "run" / "best") == best


def test_one_of_two_processes_pushes(hub, recipe, tmp_path):
    printed = train(recipe, "--push_to_hub", "--set", "training.batch_size=2", processes=2, warm=False)
    assert printed.count("The best model is pushed to tester/run (end).") == 1
    assert commits(hub, "tester/run") == [pushed(tmp_path / "run" / "best")]
