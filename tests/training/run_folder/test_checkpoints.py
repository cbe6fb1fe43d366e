"""Checkpoints: whole or refused, without pickles, found by name, the oldest ones dropped."""

import json
import pickle
from pathlib import Path

import pytest
import torch

from hf_fashion.training.run_folder.checkpoints import (
    DamagedCheckpointError,
    RunState,
    Stateful,
    find_checkpoint,
    list_checkpoints,
    load_checkpoint,
    read_state,
    save_checkpoint,
)
from hf_fashion.training.run_folder.stored_state import load_nested, save_nested
from tests.tiny_e2 import tiny_processor


class Counter:
    """What else a checkpoint keeps: a number and a tensor."""

    def __init__(self, number: int = 0):
        self.number, self.table = number, torch.full((2,), number, dtype=torch.float16)

    def state_dict(self) -> dict:
        return {"number": self.number, "table": self.table}

    def load_state_dict(self, state: dict) -> None:
        self.number, self.table = state["number"], state["table"]


class RunsCode:
    """A pickle of it writes a file when it is read."""

    def __init__(self, file: Path):
        self.file = file

    def __reduce__(self) -> tuple:
        return Path.touch, (self.file,)


def make_stateful(number: int = 0) -> Stateful:
    torch.manual_seed(number)
    model = torch.nn.Linear(2, 2)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.1)
    scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda update: 1 / (update + 1))
    return Stateful(model, optimizer, scheduler, [Counter(number)])


def update(stateful: Stateful) -> torch.Tensor:
    stateful.optimizer.zero_grad()
    stateful.model(torch.randn(4, 2)).square().sum().backward()
    stateful.optimizer.step()
    stateful.scheduler.step()
    return stateful.model.weight.detach().clone()


@pytest.fixture
def save(accelerator, tmp_path):
    return lambda **state: save_checkpoint(accelerator, RunState(**state), make_stateful(), tmp_path)


def test_model_optimizer_schedule_and_random_numbers_go_on_as_if_never_stopped(accelerator, tmp_path):
    stateful = make_stateful(3)
    update(stateful)
    checkpoint = save_checkpoint(accelerator, RunState(update=1), stateful, tmp_path)
    expected = [update(stateful), update(stateful)]

    resumed = make_stateful(4)
    load_checkpoint(accelerator, checkpoint, resumed)
    assert all(torch.equal(weight, update(resumed)) for weight in expected)
    assert resumed.scheduler.get_last_lr() == stateful.scheduler.get_last_lr() == [0.1 / 4]
    assert resumed.others[0].number == 3 and torch.equal(resumed.others[0].table, stateful.others[0].table)


def test_a_checkpoint_holds_safetensors_and_json_and_the_processor(accelerator, tmp_path):
    checkpoint = save_checkpoint(accelerator, RunState(), make_stateful(), tmp_path, tiny_processor())
    assert {path.suffix for path in checkpoint.iterdir() if path.is_file()} == {".safetensors", ".json"}
    assert (checkpoint / "processor" / "tokenizer.json").is_file()


def test_state_survives_and_old_checkpoints_go(save, tmp_path):
    state = {"stage": 1, "history": [{"loss": 0.5}], "sources": {"rows of train": "8"}, "num_processes": 2}
    for number in (1, 2, 10):
        save(update=number, **state)
    assert [path.name for path in list_checkpoints(tmp_path)] == ["update-00000002", "update-00000010"]
    newest = find_checkpoint("latest", tmp_path)
    assert read_state(newest) == RunState(update=10, **state)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["update-00000002", "update-00000010"]


def test_newer_checkpoints_never_push_out_the_one_just_written(save, tmp_path):
    """They are there where a run has resumed before them, because they are damaged."""
    for number in (8, 10, 3, 4, 5):
        save(update=number)
    names = [path.name for path in list_checkpoints(tmp_path)]
    assert names == ["update-00000004", "update-00000005", "update-00000008", "update-00000010"]


@pytest.mark.parametrize("name", ["model.safetensors", "training.safetensors", "run_state.json"])
@pytest.mark.parametrize("damage", ["cut", "changed", "missing", "empty"])
def test_a_damaged_newest_checkpoint_falls_back_to_the_one_before_and_says_so(save, tmp_path, caplog, name, damage):
    whole, newest = save(update=1), save(update=2)
    content = bytearray((newest / name).read_bytes())
    content[len(content) // 2] ^= 0xFF
    parts = {"cut": content[: len(content) // 2], "changed": content, "empty": b""}
    if damage == "missing":
        (newest / name).unlink()
    else:
        (newest / name).write_bytes(parts[damage])
    assert find_checkpoint("latest", tmp_path) == whole
    assert f"{newest} is damaged: {name}" in caplog.text and "The checkpoint before it is tried" in caplog.text
    with pytest.raises(DamagedCheckpointError, match=name):
        find_checkpoint(str(newest), tmp_path)


def test_where_no_checkpoint_is_whole_the_run_does_not_start_again_silently(save, tmp_path):
    (save(update=1) / "model.safetensors").write_bytes(b"")
    (save(update=2) / "run_state.json").write_text("{}")
    with pytest.raises(
        DamagedCheckpointError, match=r"No checkpoint in .* is whole.*update-00000002.*update-00000001"
    ):
        find_checkpoint("latest", tmp_path)


def test_a_checkpoint_without_its_state_is_damaged(save, tmp_path):
    whole = save(update=1)
    (tmp_path / ".update-00000002.another-host.7.0123abcd").mkdir()
    (tmp_path / "update-00000003").mkdir()
    assert find_checkpoint("latest", tmp_path) == whole
    with pytest.raises(ValueError, match="update-00000003 is damaged"):
        find_checkpoint(str(tmp_path / "update-00000003"), tmp_path)
    with pytest.raises(FileNotFoundError, match=r"No checkpoint at .*update-00000004"):
        find_checkpoint(str(tmp_path / "update-00000004"), tmp_path)


@pytest.mark.parametrize("name", ["custom_checkpoint_0.pkl", "random_states_0.pkl", "optimizer.bin", "scheduler.pt"])
def test_a_pickle_is_refused_and_never_read(save, tmp_path, name):
    checkpoint = save(update=1)
    (checkpoint / name).write_bytes(pickle.dumps(RunsCode(tmp_path / "it has run")))
    for asked in ("latest", str(checkpoint)):
        with pytest.raises(ValueError, match=rf"holds pickles \({name}\), as checkpoints of earlier versions did"):
            find_checkpoint(asked, tmp_path)
    assert not (tmp_path / "it has run").exists()


def test_a_checkpoint_of_other_parts_is_refused(accelerator, save):
    checkpoint = save()
    fewer, larger = make_stateful(), make_stateful()
    fewer.others, larger.model = [], torch.nn.Linear(3, 2)
    for other, message in ((fewer, "argument 2 is longer"), (larger, "size mismatch for weight")):
        with pytest.raises(ValueError, match=rf"update-00000000 does not fit this run: .*{message}"):
            load_checkpoint(accelerator, checkpoint, other)


@pytest.mark.parametrize("part", ["optimizer", "scheduler", "others", "random"])
def test_a_state_that_cannot_be_read_is_an_error(accelerator, save, part):
    """None is skipped: without its random states, a run would go on with other numbers."""
    checkpoint = save()
    saved = load_nested(checkpoint / "training.safetensors")
    for wrong in ({}, {part: 3}):
        save_nested({name: saved[name] for name in saved if name != part} | wrong, checkpoint / "training.safetensors")
        with pytest.raises(ValueError, match="does not fit this run"):
            load_checkpoint(accelerator, checkpoint, make_stateful())


@pytest.mark.parametrize("state", [{"update": "x"}, {"updates": 1}, {"history": [1]}, []])
def test_a_state_of_another_kind_is_damaged(save, tmp_path, state):
    (save(update=1) / "run_state.json").write_text(json.dumps({"state": state, "sha256": {}}))
    with pytest.raises(DamagedCheckpointError, match=r"run_state.json cannot be read \(ValueError\(.state"):
        find_checkpoint("latest", tmp_path)


def test_the_next_checkpoint_removes_half_written_ones(save, tmp_path):
    (tmp_path / ".update-00000002.another-host.7.0123abcd").mkdir()
    whole = save(update=3)
    assert list(tmp_path.iterdir()) == [whole]


def test_a_checkpoint_of_the_same_update_is_replaced(save, tmp_path):
    for best in (0.25, 0.5):
        whole = save(update=3, best=best)
    assert read_state(whole).best == 0.5
    assert list(tmp_path.iterdir()) == [whole]


def test_hashes_of_all_files_are_in_the_state(save):
    checkpoint = save()
    hashed = json.loads((checkpoint / "run_state.json").read_text())["sha256"]
    assert sorted(hashed) == ["model.safetensors", "training.safetensors"]


def test_latest_of_nothing_is_none(tmp_path):
    assert find_checkpoint("latest", tmp_path / "absent") is None
