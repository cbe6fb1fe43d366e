"""Pushes of a run's best model to the Hub: while it goes on, and at its end."""

import logging
import shlex
from pathlib import Path

from accelerate import Accelerator

from ..hub.push import ensure_repository, push_to_hub
from .recipe import TrainingRecipe


logger = logging.getLogger(__name__)


class BestModelPush:
    """Push the best model of a run. A push that fails is told and tried again later; it never ends the run.

    Args:
        folder (`Path`): of the best model.
        repo_id (`str`): repository on the Hub, which is there.
        private (`bool`): whether it is private, should it be created again.
        every_save (`bool`): whether to push at each checkpoint too, if the best model has changed.
        is_due (`bool`, *optional*, defaults to `False`): whether the folder may hold a model that is not pushed, such
            as that of a run that resumes.
    """

    def __init__(self, folder: Path, repo_id: str, private: bool, every_save: bool, is_due: bool = False):
        self.folder, self.repo_id, self.private = folder, repo_id, private
        self.every_save, self.is_due = every_save, is_due

    def best_changed(self) -> None:
        """Note that there is a new best model."""
        self.is_due = True

    def after_save(self, update: int) -> None:
        """Push after a checkpoint, if the best model has changed and each of them is pushed.

        Args:
            update (`int`): of the checkpoint.
        """
        if self.every_save:
            self._push(f"Training in progress, update {update}")

    def at_end(self) -> None:
        """Push at the end of the run, if the best model is not on the Hub yet."""
        self._push("End of training")

    def _push(self, message: str) -> None:
        if not self.is_due:
            return
        try:
            commit = push_to_hub(self.folder, self.repo_id, private=self.private or None, commit_message=message)
        except Exception as error:  # whatever it is: the run has taken longer than a push
            reason = str(error) or type(error).__name__
            logger.warning(f"{reason}\nThe model is in {self.folder}. Push it again by: {self.command}")
        else:
            self.is_due = False
            print(f"pushed: {self.folder} to {commit.repo_url}")

    @property
    def command(self) -> str:
        """Command that pushes the best model."""
        flags = ["--private"] if self.private else []
        return shlex.join(["hf-fashion", "push", str(self.folder), self.repo_id, *flags])


def prepare_push(accelerator: Accelerator, settings: TrainingRecipe, checkpoint: Path | None) -> BestModelPush | None:
    """Create the repository that a run pushes to, and check the token: before the run, which may take days.

    Args:
        accelerator (`Accelerator`): the processes. All of them must call this.
        settings (`TrainingRecipe`): whether the run pushes, and where to.
        checkpoint (`Path`, *optional*): where the run resumes.

    Returns:
        `BestModelPush`: for the main process; `None` for the others, and for a run that does not push.

    Raises:
        OSError: if the Hub refuses it or cannot be reached; the message says what to do.
        ValueError: if the id is none, or a public repository is to be private.
    """
    if not settings.push_to_hub:
        names = ("hub_model_id", "hub_private", "hub_strategy")
        for name in (name for name in names if getattr(settings, name) != getattr(TrainingRecipe, name)):
            accelerator.print(f"`training.{name}` is set and `training.push_to_hub` is not: nothing is pushed.")
        return None
    push = None
    with accelerator.main_process_first():
        if accelerator.is_main_process:
            push = _prepared(settings, checkpoint is not None)
            print(f"The best model is pushed to {push.repo_id} ({settings.hub_strategy}).")
    return push


def _prepared(settings: TrainingRecipe, is_due: bool) -> BestModelPush:
    output_dir = Path(settings.output_dir)
    private, every_save = settings.hub_private, settings.hub_strategy == "every_save"
    try:
        repo_id = ensure_repository(settings.hub_model_id or output_dir.absolute().name, private or None)
    except ValueError as error:
        raise ValueError(f"`training.hub_model_id`: {error}") from error
    return BestModelPush(output_dir / "best", repo_id, private, every_save, is_due)
