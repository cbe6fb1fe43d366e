"""Where a run stands, and its checkpoints: written aside, then renamed, so that a kill leaves none half-written."""

import json
import shutil
from contextlib import nullcontext
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from accelerate import Accelerator
from accelerate.utils import broadcast_object_list

from ..files import folder_written_aside


STATE_FILE = "run_state.json"


@dataclass
class RunState:
    """Args:
    stage (`int`): index of the stage in work.
    epoch (`int`): epochs of this stage that are done.
    batch (`int`): batches of the epoch in work that are done.
    update (`int`): updates of all stages so far.
    evaluated (`int`): the update at which the model was evaluated last.
    best (`float`): best primary metric so far.
    history (`list[dict]`): logged losses and evaluations, each with its `update`.
    recipe (`dict`): what the run was started with.
    """

    stage: int = 0
    epoch: int = 0
    batch: int = 0
    update: int = 0
    evaluated: int = -1
    best: float = -1.0
    history: list[dict[str, Any]] = field(default_factory=list)
    recipe: dict[str, Any] = field(default_factory=dict)


def save_checkpoint(accelerator: Accelerator, state: RunState, folder: Path, keep: int = 2) -> Path:
    """Saves model, optimiser, schedule, random states and the run's state; older checkpoints but `keep` go.

    Args:
        accelerator (`Accelerator`): holds what is saved. All processes must call.
        state (`RunState`): where the run stands.
        folder (`Path`): receives `update-<number>`.
        keep (`int`): newest checkpoints that stay.
    """
    target = folder / f"update-{state.update:08d}"
    if accelerator.is_main_process:
        _remove_half_written(folder)
    with folder_written_aside(target, replace=True) if accelerator.is_main_process else nullcontext() as aside:
        (aside,) = broadcast_object_list([aside])
        accelerator.save_state(str(aside))
        accelerator.wait_for_everyone()
        if accelerator.is_main_process:
            (aside / STATE_FILE).write_text(json.dumps(asdict(state)))
    if accelerator.is_main_process:
        for old in list_checkpoints(folder)[:-keep]:
            shutil.rmtree(old)
    accelerator.wait_for_everyone()
    return target


def _remove_half_written(folder: Path) -> None:
    """Remove what kills left; a run has its folder for itself, so that every hidden checkpoint is an earlier run's."""
    for left in folder.glob(".update-*"):
        shutil.rmtree(left)


def list_checkpoints(folder: Path) -> list[Path]:
    """Whole checkpoints in a folder, oldest first."""
    return sorted(path for path in folder.glob("update-*") if (path / STATE_FILE).is_file())


def find_checkpoint(asked: str, folder: Path) -> Path | None:
    """The checkpoint to resume from: a path, or the newest one of `folder` for `"latest"` (`None` where none is).

    Raises:
        FileNotFoundError: if a named checkpoint is not there or not whole.
    """
    if asked == "latest":
        return next(reversed(list_checkpoints(folder)), None)
    if not (Path(asked) / STATE_FILE).is_file():
        raise FileNotFoundError(f"No whole checkpoint at {asked}: {STATE_FILE} is missing.")
    return Path(asked)


def require_same_recipe(state: RunState, recipe: dict[str, Any]) -> None:
    """Raises `ValueError`, naming the keys, unless a checkpoint's run was started with this recipe.

    The folder of the output and what is only reported may differ.

    Args:
        state (`RunState`): what the checkpoint holds.
        recipe (`dict`): the recipe of the run that would resume, as plain values.
    """
    before, now = _flat(state.recipe), _flat(recipe)
    free = ("training.output_dir", "training.trackers", "training.num_workers", "data.cache_folder")
    changed = sorted(key for key in before.keys() | now.keys() if before.get(key) != now.get(key) and key not in free)
    if changed:
        raise ValueError(
            f"The checkpoint's run had another recipe: {', '.join(changed)} differ. Resume with the same recipe, or "
            "start anew in another `training.output_dir`."
        )


def _flat(values: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    flat = {}
    for key, value in values.items():
        flat |= _flat(value, f"{prefix}{key}.") if isinstance(value, dict) else {f"{prefix}{key}": value}
    return flat


def read_state(checkpoint: Path) -> RunState:
    """The run's state that a checkpoint holds."""
    return RunState(**json.loads((checkpoint / STATE_FILE).read_text()))
