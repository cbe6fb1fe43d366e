"""A step of training on outputs of frozen layers, around the step of any family of models."""

import torch
from torch import Tensor
from transformers import PreTrainedModel

from ..recipe import StageRecipe
from ..step import TrainingStep
from .layers import FrozenLayers


class FrozenStep(TrainingStep):
    """Compute the losses of another step on batches that hold outputs of frozen layers as `pixel_values`.

    Args:
        step (`TrainingStep`): the step.
        frozen (`FrozenLayers`): the layers.
    """

    def __init__(self, step: TrainingStep, frozen: FrozenLayers):
        self.step, self.frozen = step, frozen
        self.checkpointed = step.checkpointed

    def __call__(
        self, wrapped: torch.nn.Module, model: PreTrainedModel, batch: dict[str, Tensor]
    ) -> dict[str, Tensor]:
        """Return the losses of a batch."""
        with self.frozen.skipped():
            return self.step(wrapped, model, batch)

    def start_stage(self, model: PreTrainedModel, stage: StageRecipe) -> None:
        """Prepare the step, and freeze the layers whatever the stage trains."""
        self.step.start_stage(model, stage)
        self.frozen.freeze()

    def start_batch(self, epochs: float) -> None:
        """Tell the step how far the run has come."""
        self.step.start_batch(epochs)

    def after_update(self, model: PreTrainedModel) -> None:
        """Let the step follow the model."""
        self.step.after_update(model)
