"""The state of a run, and its checkpoints: written aside, then renamed, so that a kill leaves none half-written."""

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
    """Record how far a run has come.

    Args:
        stage (`int`, *optional*, defaults to 0): index of the current stage.
        epoch (`int`, *optional*, defaults to 0): finished epochs of this stage.
        batch (`int`, *optional*, defaults to 0): finished batches of the current epoch.
        update (`int`, *optional*, defaults to 0): updates of all stages so far.
        evaluated (`int`, *optional*, defaults to -1): the update at which the model was last evaluated.
        best (`float`, *optional*, defaults to -1.0): best primary metric so far.
        history (`list[dict]`, *optional*): logged losses and evaluations, each with its `update`.
        recipe (`dict`, *optional*): the recipe of the run, as plain values.
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
    """Save model, optimiser, schedule, random states and the run's state; remove all but the newest checkpoints.

    Args:
        accelerator (`Accelerator`): holds model, optimiser and schedule. All processes must call this.
        state (`RunState`): how far the run has come.
        folder (`Path`): receives `update-<number>`.
        keep (`int`, *optional*, defaults to 2): number of checkpoints that stay.
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
    """Return the whole checkpoints of a folder, oldest first."""
    return sorted(path for path in folder.glob("update-*") if (path / STATE_FILE).is_file())


def find_checkpoint(asked: str, folder: Path) -> Path | None:
    """Return the checkpoint to resume from, or `None` for the latest of a folder without checkpoints.

    Args:
        asked (`str`): a path, or `"latest"` for the newest one of `folder`.
        folder (`Path`): the checkpoints of a run.

    Raises:
        FileNotFoundError: if a named checkpoint is missing or not whole.
    """
    if asked == "latest":
        return next(reversed(list_checkpoints(folder)), None)
    if not (Path(asked) / STATE_FILE).is_file():
        raise FileNotFoundError(f"No whole checkpoint at {asked}: {STATE_FILE} is missing.")
    return Path(asked)


def require_same_recipe(state: RunState, recipe: dict[str, Any]) -> None:
    """Raise `ValueError`, naming the keys, unless a checkpoint's run had this recipe.

    The output folder and keys that do not change the result may differ.

    Args:
        state (`RunState`): the state in the checkpoint.
        recipe (`dict`): the recipe of the run that resumes, as plain values.
    """
    before, now = _flat(state.recipe), _flat(recipe)
    free = ("training.output_dir", "training.trackers", "training.num_workers", "data.cache_folder")
    changed = sorted(key for key in before.keys() | now.keys() if before.get(key) != now.get(key) and key not in free)
    if changed:
        raise ValueError(
            f"The checkpoint's run had another recipe: {', '.join(changed)} differ. Resume with the same recipe, or "
            "start again in another `training.output_dir`."
        )


def _flat(values: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    flat = {}
    for key, value in values.items():
        flat |= _flat(value, f"{prefix}{key}.") if isinstance(value, dict) else {f"{prefix}{key}": value}
    return flat


def read_state(checkpoint: Path) -> RunState:
    """Read the run's state from a checkpoint."""
    return RunState(**json.loads((checkpoint / STATE_FILE).read_text()))
