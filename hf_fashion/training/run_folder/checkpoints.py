"""Checkpoints of a run: safetensors and JSON, written aside, then renamed, so that a kill leaves none half-written."""

import json
import logging
import shutil
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator
from accelerate.utils import gather_object
from safetensors import SafetensorError
from safetensors.torch import load_model, save_model
from transformers import BaseImageProcessor, PreTrainedModel, ProcessorMixin

from ...files import folder_written_aside, sha256_of
from ..recipe_file import fill
from .random_states import random_states, set_random_states
from .stored_state import load_nested, save_nested


STATE_FILE = "run_state.json"
MODEL_FILE = "model.safetensors"
TRAINING_FILE = "training.safetensors"
PROCESSOR_FOLDER = "processor"
# Files that are read by unpickling, which runs the code that they hold.
PICKLES = {".bin", ".pkl", ".pickle", ".pt", ".pth"}

logger = logging.getLogger(__name__)


class DamagedCheckpointError(ValueError):
    """A checkpoint with a file that is missing or was changed."""


@dataclass
class RunState:
    """Record how far a run has come, and what it is made from.

    Args:
        stage (`int`, *optional*, defaults to 0): index of the current stage.
        epoch (`int`, *optional*, defaults to 0): finished epochs of this stage.
        batch (`int`, *optional*, defaults to 0): finished batches of the current epoch.
        update (`int`, *optional*, defaults to 0): updates of all stages so far.
        evaluated (`int`, *optional*, defaults to -1): the update at which the model was last evaluated.
        best (`float`, *optional*, defaults to -1.0): best primary metric so far.
        history (`list[dict]`, *optional*): logged losses and evaluations, each with its `update`.
        recipe (`dict`, *optional*): the recipe of the run, as plain values.
        sources (`dict[str, str]`, *optional*): fingerprints of what the run learns from.
        num_processes (`int`, *optional*, defaults to 1): processes of the run.
        seconds (`float`, *optional*, defaults to 0.0): that the run has taken so far, stops not counted.
    """

    stage: int = 0
    epoch: int = 0
    batch: int = 0
    update: int = 0
    evaluated: int = -1
    best: float = -1.0
    history: list[dict[str, Any]] = field(default_factory=list)
    recipe: dict[str, Any] = field(default_factory=dict)
    sources: dict[str, str] = field(default_factory=dict)
    num_processes: int = 1
    seconds: float = 0.0


@dataclass
class Stateful:
    """Hold what a stage changes, and so a checkpoint keeps.

    Args:
        model (`PreTrainedModel`): the model, unwrapped.
        optimizer (`torch.optim.Optimizer`): its optimiser.
        scheduler (`LRScheduler`): schedule of the learning rates.
        others (`Sequence`, *optional*): objects with `state_dict` and `load_state_dict`.
    """

    model: PreTrainedModel
    optimizer: torch.optim.Optimizer
    scheduler: Any
    others: Sequence[Any] = ()


def save_checkpoint(
    accelerator: Accelerator,
    state: RunState,
    stateful: Stateful,
    folder: Path,
    processor: ProcessorMixin | BaseImageProcessor | None = None,
    keep: int = 2,
) -> Path:
    """Save model, optimiser, schedule, random states, processor and the run's state; remove older checkpoints.

    Args:
        accelerator (`Accelerator`): devices and processes. All processes must call this.
        state (`RunState`): how far the run has come.
        stateful (`Stateful`): model, optimiser, schedule.
        folder (`Path`): receives `update-<number>`.
        processor (`ProcessorMixin` or `BaseImageProcessor`, *optional*): saved with it.
        keep (`int`, *optional*, defaults to 2): number of checkpoints that stay, up to this one.

    Raises:
        OSError: if the disk has no room; the checkpoints that are there stay.
    """
    target = folder / f"update-{state.update:08d}"
    draws = gather_object([random_states(accelerator.device)])
    if accelerator.is_main_process:
        _remove_half_written(folder)
        try:
            with folder_written_aside(target, replace=True) as aside:
                save_model(stateful.model, str(aside / MODEL_FILE))
                save_nested(_training_state(accelerator, stateful) | {"random": draws}, aside / TRAINING_FILE)
                if processor is not None:
                    processor.save_pretrained(aside / PROCESSOR_FOLDER)
                _write_state(state, aside)
        except SafetensorError as error:  # which names no file
            raise OSError(f"{target} cannot be written: {error}") from error
        older = [path for path in list_checkpoints(folder) if path.name < target.name]
        for old in older[: max(0, len(older) + 1 - keep)]:
            shutil.rmtree(old)
    accelerator.wait_for_everyone()
    return target


def load_checkpoint(accelerator: Accelerator, checkpoint: Path, stateful: Stateful) -> None:
    """Load model, optimiser, schedule and random states.

    Args:
        accelerator (`Accelerator`): devices and processes.
        checkpoint (`Path`): a whole checkpoint.
        stateful (`Stateful`): what is loaded into.

    Raises:
        ValueError: if the checkpoint does not fit: it is of another model, other parts or another kind of device, or a
            state in it cannot be read.
    """
    try:
        load_model(stateful.model, checkpoint / MODEL_FILE)
        _set_training_state(accelerator, stateful, load_nested(checkpoint / TRAINING_FILE))
    except (RuntimeError, KeyError, IndexError, TypeError, AttributeError, ValueError, SafetensorError) as error:
        raise ValueError(
            f"{checkpoint} does not fit this run: {error!r}. Resume with the recipe, models and versions that wrote "
            "it, or start again in another `training.output_dir`."
        ) from error


def list_checkpoints(folder: Path) -> list[Path]:
    """Return the checkpoints of a folder, oldest first; some may be damaged."""
    return sorted(path for path in folder.glob("update-*") if path.is_dir())


def find_checkpoint(asked: str, folder: Path) -> Path | None:
    """Return the checkpoint to resume from, or `None` for the latest of a folder without checkpoints.

    Args:
        asked (`str`): a path, or `"latest"` for the newest whole one of `folder`; damaged newer ones are logged.
        folder (`Path`): the checkpoints of a run.

    Raises:
        FileNotFoundError: if a named checkpoint is missing.
        ValueError: if it is damaged, all of a folder are, or one holds pickles, which are never read.
    """
    if asked != "latest":
        if not Path(asked).is_dir():
            raise FileNotFoundError(f"No checkpoint at {asked}.")
        read_state(Path(asked))
        return Path(asked)
    damages = []
    for checkpoint in reversed(list_checkpoints(folder)):
        try:
            read_state(checkpoint)
        except DamagedCheckpointError as damage:
            logger.warning("%s The checkpoint before it is tried.", damage)
            damages.append(str(damage))
        else:
            return checkpoint
    if damages:
        raise DamagedCheckpointError(
            f"No checkpoint in {folder} is whole: start again in another `training.output_dir`. {' '.join(damages)}"
        )
    return None


def read_state(checkpoint: Path) -> RunState:
    """Read the run's state from a checkpoint, and check that all its files are as they were written.

    Args:
        checkpoint (`Path`): the folder.

    Raises:
        ValueError: if a file is missing or was changed ([`DamagedCheckpointError`]), or the folder holds pickles.
    """
    pickles = sorted(path.name for path in checkpoint.rglob("*") if path.suffix in PICKLES)
    if pickles:
        raise ValueError(
            f"{checkpoint} holds pickles ({', '.join(pickles)}), as checkpoints of earlier versions did. To read one "
            "runs the code in it, so nothing of this checkpoint is read: start again in another `training.output_dir`."
        )
    try:
        written = json.loads((checkpoint / STATE_FILE).read_text(encoding="utf-8"))
        state, hashes = fill(RunState, written["state"], "state"), written["sha256"].items()
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise DamagedCheckpointError(f"{checkpoint} is damaged: {STATE_FILE} cannot be read ({error!r}).") from error
    for name, hash_then in hashes:
        path = checkpoint / name
        if not path.is_file() or sha256_of(path) != hash_then:
            wrong = "was changed or cut" if path.is_file() else "is missing"
            raise DamagedCheckpointError(f"{checkpoint} is damaged: {name} {wrong}.")
    return state


def _training_state(accelerator: Accelerator, stateful: Stateful) -> dict[str, Any]:
    return {
        "optimizer": stateful.optimizer.state_dict(),
        "scheduler": stateful.scheduler.state_dict(),
        "scaler": accelerator.scaler.state_dict() if accelerator.scaler is not None else None,
        "others": [other.state_dict() for other in stateful.others],
    }


def _set_training_state(accelerator: Accelerator, stateful: Stateful, saved: dict[str, Any]) -> None:
    stateful.optimizer.load_state_dict(saved["optimizer"])
    stateful.scheduler.load_state_dict(saved["scheduler"])
    for other, other_state in zip(stateful.others, saved["others"], strict=True):
        other.load_state_dict(other_state)
    if accelerator.scaler is not None:
        accelerator.scaler.load_state_dict(saved["scaler"])
    set_random_states(saved["random"][accelerator.process_index], accelerator.device)


def _write_state(state: RunState, folder: Path) -> None:
    """Write the state and the hashes of all other files, last of all."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    hashes = {path.relative_to(folder).as_posix(): sha256_of(path) for path in files}
    text = json.dumps({"state": asdict(state), "sha256": hashes})
    (folder / STATE_FILE).write_text(text, encoding="utf-8")


def _remove_half_written(folder: Path) -> None:
    """Remove what kills left; a run has its folder for itself, so that every hidden checkpoint is an earlier run's."""
    for left in folder.glob(".update-*"):
        shutil.rmtree(left)
