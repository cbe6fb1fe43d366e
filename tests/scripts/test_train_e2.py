"""The scripts of training, for `accelerate launch`: each is a command of `hf-fashion train`."""

import subprocess
import sys

import pytest

from tests.scripts.tiny_run import REPOSITORY, history, tiny_corpus, tiny_recipe


SCRIPTS = {
    "train_e2.py": "e2",
    "train_attribute_model.py": "attribute",
    "train_feature_reasoning.py": "feature_reasoning",
    "pretrain_backbone.py": "backbone",
}


def script(name: str, *arguments: str, launcher: tuple[str, ...] = ()) -> subprocess.CompletedProcess:
    command = [sys.executable, *launcher, str(REPOSITORY / "training" / name), *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, cwd=REPOSITORY)


def test_the_script_trains_under_the_launcher(tmp_path, monkeypatch):
    tiny_corpus(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(REPOSITORY))
    launcher = ("-m", "accelerate.commands.launch", "--quiet", "--cpu", "--num_processes", "1")
    done = script("train_e2.py", str(tiny_recipe(tmp_path)), launcher=launcher)
    assert done.returncode == 0, done.stderr
    assert history(tmp_path / "run")


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_script_takes_the_recipes_of_its_model(name, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(REPOSITORY))
    refused = script(name, "no_such_recipe")
    assert refused.returncode == 2 and "Traceback" not in refused.stderr
    assert refused.stderr.startswith("hf-fashion: error: the recipe must be a YAML file")
    assert f"Those of {SCRIPTS[name]} are " in refused.stderr
