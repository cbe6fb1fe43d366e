"""Checkpoints: whole or absent, found by name, the oldest ones dropped."""

import pytest
import torch
from accelerate import Accelerator

from hf_fashion.training.checkpoints import (
    RunState,
    find_checkpoint,
    list_checkpoints,
    read_state,
    save_checkpoint,
)


@pytest.fixture
def accelerator():
    accelerator = Accelerator(cpu=True)
    accelerator.prepare(torch.nn.Linear(2, 2))
    yield accelerator
    accelerator.free_memory()


def test_state_survives_and_old_checkpoints_go(accelerator, tmp_path):
    for update in (1, 2, 10):
        save_checkpoint(accelerator, RunState(stage=1, update=update, history=[{"loss": 0.5}]), tmp_path)
    assert [path.name for path in list_checkpoints(tmp_path)] == ["update-00000002", "update-00000010"]
    newest = find_checkpoint("latest", tmp_path)
    assert read_state(newest) == RunState(stage=1, update=10, history=[{"loss": 0.5}])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["update-00000002", "update-00000010"]


def test_half_written_checkpoints_are_not_seen(accelerator, tmp_path):
    whole = save_checkpoint(accelerator, RunState(update=1), tmp_path)
    (tmp_path / ".update-00000002.another-host.7.0123abcd").mkdir()
    (tmp_path / "update-00000003").mkdir()
    assert find_checkpoint("latest", tmp_path) == whole
    with pytest.raises(FileNotFoundError, match="update-00000003"):
        find_checkpoint(str(tmp_path / "update-00000003"), tmp_path)


def test_the_next_checkpoint_removes_half_written_ones(accelerator, tmp_path):
    (tmp_path / ".update-00000002.another-host.7.0123abcd").mkdir()
    whole = save_checkpoint(accelerator, RunState(update=3), tmp_path)
    assert list(tmp_path.iterdir()) == [whole]


def test_a_checkpoint_of_the_same_update_is_replaced(accelerator, tmp_path):
    for best in (0.25, 0.5):
        whole = save_checkpoint(accelerator, RunState(update=3, best=best), tmp_path)
    assert read_state(whole).best == 0.5
    assert list(tmp_path.iterdir()) == [whole]


def test_latest_of_nothing_is_none(tmp_path):
    assert find_checkpoint("latest", tmp_path / "absent") is None
