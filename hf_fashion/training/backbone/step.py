"""A step of pretraining a backbone: from a batch to its loss."""

from collections.abc import Sequence

import torch
from torch import Tensor
from transformers import PreTrainedModel

from ...losses.attribute_cross_entropy import attribute_cross_entropy
from ..step import TrainingStep


class BackboneStep(TrainingStep):
    """Compute the cross-entropy of all attributes.

    Args:
        num_values (`Sequence[int]`): number of values of each attribute.
    """

    def __init__(self, num_values: Sequence[int]):
        self.num_values = num_values

    def __call__(
        self, wrapped: torch.nn.Module, model: PreTrainedModel, batch: dict[str, Tensor]
    ) -> dict[str, Tensor]:
        """Return the loss of a batch of [`ClassifierCollator`]."""
        logits = wrapped(pixel_values=batch["pixel_values"]).logits
        return {"loss": attribute_cross_entropy(logits, batch["value_ids"], self.num_values)}
