"""Where a run starts: only at a checkpoint of the same recipe, data and processes."""

import re
import shutil

import pytest
import torch

from hf_fashion.training.run_folder.checkpoints import RunState, Stateful, save_checkpoint
from hf_fashion.training.run_folder.output_folder import checkpoint_folder
from hf_fashion.training.run_folder.resuming import checkpoint_to_resume, require_same_recipe, require_same_sources
from tests.warm_processes import run_warm, torchrun


RECIPE = {"training": {"seed": 0, "output_dir": "a"}, "data": {"corpus": "generated"}}
SOURCES = {"rows of train": "24", "train: caption (column 'title')": "5f0c9a41e2d7b683"}


# In a folder that two processes share, and in one of each process.
RESUME = """
import sys
from accelerate import Accelerator
from hf_fashion.training.run_folder.resuming import checkpoint_to_resume
accelerator = Accelerator(cpu=True)
for output_dir in ("shared", f"machine{accelerator.process_index}"):
    try:
        checkpoint = checkpoint_to_resume(accelerator, sys.argv[1], output_dir, {})
        print(f"process {accelerator.process_index} resumes from {checkpoint}\\n", end="")
    except ValueError as error:
        print(f"process {accelerator.process_index} stops: {error}\\n", end="")
"""


@pytest.fixture
def save(accelerator, tmp_path):
    model = torch.nn.Linear(1, 1)
    optimizer = torch.optim.Adam(model.parameters())
    stateful = Stateful(model, optimizer, torch.optim.lr_scheduler.LambdaLR(optimizer, lambda update: 1.0))

    def save(output_dir=tmp_path, recipe=RECIPE, **state):
        return save_checkpoint(accelerator, RunState(recipe=recipe, **state), stateful, checkpoint_folder(output_dir))

    return save


def test_latest_of_a_new_run_starts_from_the_beginning(accelerator, tmp_path, capsys):
    assert checkpoint_to_resume(accelerator, "latest", tmp_path, RECIPE) is None
    assert "starting from the beginning" in capsys.readouterr().out
    assert checkpoint_to_resume(accelerator, None, tmp_path, RECIPE) is None


def test_the_checkpoint_is_said(accelerator, save, tmp_path, capsys):
    save(update=1)
    newest = save(update=2)
    for asked in ("latest", str(newest)):
        assert checkpoint_to_resume(accelerator, asked, tmp_path, RECIPE) == newest
        assert f"Resuming from {newest}." in capsys.readouterr().out


def test_a_new_run_does_not_mix_with_an_earlier_one(accelerator, save, tmp_path):
    save(update=1)
    with pytest.raises(ValueError, match="checkpoints of an earlier run"):
        checkpoint_to_resume(accelerator, None, tmp_path, RECIPE)


def test_a_run_that_resumes_elsewhere_does_not_mix_with_another_one(accelerator, save, tmp_path):
    save(update=1)
    elsewhere = shutil.copytree(tmp_path / "checkpoints", tmp_path / "a" / "checkpoints") / "update-00000001"
    with pytest.raises(ValueError, match="checkpoints of an earlier run"):
        checkpoint_to_resume(accelerator, str(elsewhere), tmp_path, RECIPE)
    assert checkpoint_to_resume(accelerator, str(elsewhere), tmp_path / "b", RECIPE) == elsewhere


def test_another_recipe_is_refused_and_its_keys_are_named(accelerator, save, tmp_path):
    save(update=1)
    other = {"training": {"seed": 1, "output_dir": "b", "num_workers": 2}, "data": {"corpus": "mine"}}
    with pytest.raises(ValueError, match=r"another recipe: training\.seed differ"):
        checkpoint_to_resume(accelerator, "latest", tmp_path, other)
    require_same_recipe(RunState(recipe=RECIPE), RECIPE | {"training": {"seed": 0, "output_dir": "b"}})


def test_another_number_of_processes_is_refused(accelerator, save, tmp_path):
    save(num_processes=2)
    with pytest.raises(ValueError, match=r"a run in 2 processes, this one has 1.*--num_processes 2"):
        checkpoint_to_resume(accelerator, "latest", tmp_path, RECIPE)


def test_a_changed_corpus_is_refused_and_what_has_changed_is_named(save):
    checkpoint = save(sources=SOURCES)
    require_same_sources(checkpoint, SOURCES)
    require_same_sources(None, SOURCES)
    with pytest.raises(ValueError, match=r"has changed since: rows of train: 24, now 25; train: caption \(column"):
        require_same_sources(checkpoint, {"rows of train": "25", "train: caption (column 'title')": "0"})
    with pytest.raises(ValueError, match=r"has changed since: train: tag 'brand'\. Bring the data back"):
        require_same_sources(checkpoint, SOURCES | {"train: tag 'brand'": "1"})


def test_keys_that_are_not_known_yet_are_compared_later(save):
    checkpoint = save(update=1, sources=SOURCES | {"frozen layers": "a"})
    require_same_sources(checkpoint, SOURCES, later=["frozen layers"])
    require_same_sources(checkpoint, SOURCES | {"frozen layers": "a"})
    with pytest.raises(ValueError, match="has changed since: frozen layers"):
        require_same_sources(checkpoint, SOURCES | {"frozen layers": "b"})
    with pytest.raises(ValueError, match="rows of train"):
        require_same_sources(checkpoint, {}, later=["frozen layers"])


def test_processes_that_find_different_checkpoints_stop_all_of_them(save, tmp_path):
    for folder, best in (("shared", 0.0), ("machine0", 0.0), ("machine1", 0.5)):  # the last is of another run
        save(tmp_path / folder, {}, update=1, best=best, num_processes=2)
    save(tmp_path / "machine0", {}, update=2, num_processes=2)
    printed = run_warm(torchrun("-c", RESUME, "latest"), tmp_path).stdout
    for process in (0, 1):
        assert f"process {process} resumes from shared/checkpoints/update-00000001\n" in printed
        stops = rf"process {process} stops: the processes find different checkpoints: process 0: update-00000002 \("
        assert re.search(
            rf"{stops}\w+\); process 1: update-00000001 \(\w+\)\. They must be on a disk that all", printed
        )
    shutil.rmtree(tmp_path / "machine0" / "checkpoints" / "update-00000002")
    printed = run_warm(torchrun("-c", RESUME, "latest"), tmp_path).stdout
    assert printed.count("stops: the processes find different checkpoints: process 0: update-00000001 (") == 2
