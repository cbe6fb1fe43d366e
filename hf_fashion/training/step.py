"""What the training loop asks of a family of models at each step."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

import torch
from transformers import PreTrainedModel

from .recipe import StageRecipe


class TrainingStep(ABC):
    """Compute the losses of a batch. Each family of models has a subclass, in the `step.py` of its folder."""

    # What else a checkpoint keeps, each with `state_dict` and `load_state_dict`.
    checkpointed: Sequence[Any] = ()

    @abstractmethod
    def __call__(
        self, wrapped: torch.nn.Module, model: PreTrainedModel, batch: dict[str, torch.Tensor]
    ) -> dict[str, torch.Tensor]:
        """Return the losses of a batch.

        Args:
            wrapped (`torch.nn.Module`): the model as Accelerate has prepared it; call this one.
            model (`PreTrainedModel`): the same model, unwrapped, for its configuration and parameters.
            batch (`dict[str, torch.Tensor]`): from the run's collator.

        Returns:
            `dict[str, torch.Tensor]`: `"loss"`, which is minimised, and its parts by name, which are logged.
        """

    def start_stage(self, model: PreTrainedModel, stage: StageRecipe) -> None:  # noqa: B027  optional for a subclass
        """Prepare a stage, before its first update.

        Before a run it is called for each stage too, so that what is wrong with a later one is said in time.

        Args:
            model (`PreTrainedModel`): the model, unwrapped.
            stage (`StageRecipe`): the stage.
        """

    def start_batch(self, epochs: float) -> None:  # noqa: B027  optional for a subclass
        """Follow the run, before each batch.

        Args:
            epochs (`float`): epochs of the run so far, those of earlier stages too.
        """

    def after_update(self, model: PreTrainedModel) -> None:  # noqa: B027  optional for a subclass
        """Follow or limit the model after an update; called without gradients.

        Args:
            model (`PreTrainedModel`): the model, unwrapped.
        """
