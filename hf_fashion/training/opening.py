"""What every training begins with: devices, the checkpoint to resume from, the repository to push to."""

from pathlib import Path
from typing import NamedTuple, Protocol

from accelerate import Accelerator

from .accelerator import make_accelerator
from .pushing import BestModelPush, prepare_push
from .recipe import TrainingRecipe
from .run_folder.output_folder import require_writable
from .run_folder.resuming import checkpoint_to_resume


class RunRecipe(Protocol):
    """A recipe with the section `training`."""

    training: TrainingRecipe

    def to_dict(self) -> dict: ...


class OpenedRun(NamedTuple):
    """Hold what a run begins with.

    Args:
        accelerator (`Accelerator`): devices, precision and processes.
        checkpoint (`Path`, *optional*): where to resume.
        push (`BestModelPush`, *optional*): the repository to push to.
    """

    accelerator: Accelerator
    checkpoint: Path | None
    push: BestModelPush | None


def open_run(recipe: RunRecipe, resume_from: str | None) -> OpenedRun:
    """Prepare devices and processes of a run, find its checkpoint, and check that it may push.

    Args:
        recipe (`RunRecipe`): the run.
        resume_from (`str`, *optional*): a checkpoint, or `"latest"`.

    Raises:
        ImportError: a tracker is not installed.
        ValueError: the output folder cannot be written, recipe and launcher contradict each other, or the checkpoint
            is of another recipe.
    """
    settings = recipe.training
    require_writable(settings.output_dir)
    accelerator = make_accelerator(settings)
    checkpoint = checkpoint_to_resume(accelerator, resume_from, settings.output_dir, recipe.to_dict())
    return OpenedRun(accelerator, checkpoint, prepare_push(accelerator, settings, checkpoint))
