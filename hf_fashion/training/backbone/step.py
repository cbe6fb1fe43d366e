"""A step of pretraining a backbone: from a batch to its loss."""

from collections.abc import Sequence

import torch
from torch import Tensor
from transformers import PreTrainedModel

from ...losses.attribute_cross_entropy import attribute_cross_entropy
from ...losses.gather import gather_with_gradient
from ..step import TrainingStep


class BackboneStep(TrainingStep):
    """Compute the cross-entropy of all attributes over the joined batch of all processes.

    Args:
        num_values (`Sequence[int]`): number of values of each attribute.
    """

    def __init__(self, num_values: Sequence[int]):
        self.num_values = num_values

    def __call__(
        self, wrapped: torch.nn.Module, model: PreTrainedModel, batch: dict[str, Tensor]
    ) -> dict[str, Tensor]:
        """Return the loss of a batch of [`ClassifierCollator`]."""
        logits = gather_with_gradient(wrapped(pixel_values=batch["pixel_values"]).logits)
        return {"loss": attribute_cross_entropy(logits, gather_with_gradient(batch["value_ids"]), self.num_values)}
