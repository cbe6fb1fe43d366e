"""Where a run starts: at the beginning, or at a checkpoint of a run of the same recipe, data and processes."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from accelerate import Accelerator
from accelerate.utils import gather_object

from ...files import sha256_of
from .checkpoints import STATE_FILE, RunState, find_checkpoint, read_state
from .output_folder import checkpoint_folder, require_no_earlier_run


# Keys that do not change the result.
FREE_KEYS = (
    *("training.output_dir", "training.trackers", "training.num_workers", "training.log_every", "data.cache_folder"),
    "data.corpus",  # what is in it is compared by its fingerprint
    *("training.push_to_hub", "training.hub_model_id", "training.hub_private", "training.hub_strategy"),
    *("card.license", "card.language"),
)


def checkpoint_to_resume(
    accelerator: Accelerator, asked: str | None, output_dir: str | Path, recipe: dict[str, Any]
) -> Path | None:
    """Return the checkpoint that a run resumes from, or `None` to start from the beginning; say which.

    Args:
        accelerator (`Accelerator`): the processes. All of them must call this.
        asked (`str`, *optional*): a checkpoint, or `"latest"`, which starts from the beginning if there is none.
        output_dir (`str` or `Path`): of the run.
        recipe (`dict`): the recipe of the run, as plain values.

    Raises:
        FileNotFoundError: if a named checkpoint is missing.
        ValueError: if the checkpoint is damaged or holds pickles, its run had another recipe or number of processes,
            or the output folder has checkpoints of another run than the one that resumes; if processes find different
            checkpoints, as on machines that share no disk.
    """
    folder = checkpoint_folder(output_dir)
    if asked is None:
        require_no_earlier_run(output_dir)
        return None
    checkpoint = _found_by_all(accelerator, asked, folder)
    if checkpoint is None:
        accelerator.print("No checkpoint yet: starting from the beginning.")
        return None
    require_no_earlier_run(output_dir, checkpoint)
    state = read_state(checkpoint)
    require_same_recipe(state, recipe)
    _require_same_processes(state, accelerator.num_processes)
    accelerator.print(f"Resuming from {checkpoint}.")
    return checkpoint


def _found_by_all(accelerator: Accelerator, asked: str, folder: Path) -> Path | None:
    """Return the checkpoint that each process finds, `None` if none does; an error of one ends all of them."""
    found, error, said = None, None, "none"
    try:
        found = find_checkpoint(asked, folder)
    except (OSError, ValueError) as caught:
        error, said = caught, str(caught)
    if found is not None:
        said = f"{found.name} ({sha256_of(found / STATE_FILE)[:8]})"  # of a file with the hashes of all others
    finds = gather_object([said])
    if error is not None:
        raise error
    if len(set(finds)) > 1:
        listed = "; ".join(f"process {index}: {find}" for index, find in enumerate(finds))
        raise ValueError(
            f"the processes find different checkpoints: {listed}. They must be on a disk that all machines share: put "
            "`training.output_dir` on one, and what --resume_from_checkpoint names."
        )
    return found


def require_same_recipe(state: RunState, recipe: dict[str, Any]) -> None:
    """Raise `ValueError`, naming the keys, unless a checkpoint's run had this recipe.

    The output folder and keys that do not change the result may differ.

    Args:
        state (`RunState`): the state in the checkpoint.
        recipe (`dict`): the recipe of the run that resumes, as plain values.
    """
    changed = sorted(set(_changed(_flat(state.recipe), _flat(recipe))) - set(FREE_KEYS))
    if changed:
        raise ValueError(
            f"The checkpoint's run had another recipe: {', '.join(changed)} differ. Resume with the same recipe, or "
            "start again in another `training.output_dir`."
        )


def require_same_sources(checkpoint: Path | None, sources: dict[str, str], later: Sequence[str] = ()) -> None:
    """Raise `ValueError`, naming what has changed, unless a checkpoint's run learned from the same data.

    Args:
        checkpoint (`Path`, *optional*): where the run resumes; without one, there is nothing to compare.
        sources (`dict[str, str]`): of the run that resumes, as [`corpus_fingerprint`] returns them.
        later (`Sequence[str]`, *optional*): keys that are not known yet, and compared by another call.
    """
    if checkpoint is None:
        return
    before = {key: value for key, value in read_state(checkpoint).sources.items() if key not in later}
    changed = _changed(before, sources)
    if changed:
        raise ValueError(
            f"What {checkpoint} has learned from has changed since: {'; '.join(_describe(before, sources, changed))}. "
            "Bring the data back as it was, or start again in another `training.output_dir`."
        )


def _require_same_processes(state: RunState, number: int) -> None:
    if state.num_processes != number:
        raise ValueError(
            f"The checkpoint is of a run in {state.num_processes} processes, this one has {number}: each draws its "
            f"own batches, so resume with --num_processes {state.num_processes}, or start again in another "
            "`training.output_dir`."
        )


def _changed(before: dict[str, Any], now: dict[str, Any]) -> list[str]:
    return [key for key in before | now if before.get(key) != now.get(key)]


def _describe(before: dict[str, str], now: dict[str, str], changed: list[str]) -> list[str]:
    """Lines such as `rows of train: 24, now 20` or `train, column 'title'`: numbers are shown, hashes are not."""
    return [
        f"{key}: {before.get(key, 'none')}, now {now.get(key, 'none')}" if key.startswith("rows of") else key
        for key in changed
    ]


def _flat(values: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    flat = {}
    for key, value in values.items():
        flat |= _flat(value, f"{prefix}{key}.") if isinstance(value, dict) else {f"{prefix}{key}": value}
    return flat
