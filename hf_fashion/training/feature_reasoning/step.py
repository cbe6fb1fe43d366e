"""A step of training FR: from a batch of candidate lists to its loss."""

import torch
from torch import Tensor

from ...losses.feature_reasoning import feature_reasoning_loss
from ...models.feature_reasoning.modeling_feature_reasoning import FeatureReasoningModel
from ..step import TrainingStep
from .recipe import ReasoningLossRecipe


class FeatureReasoningStep(TrainingStep):
    """Compute the loss of FR, equation 17.

    Args:
        recipe (`ReasoningLossRecipe`): which pairs count, and whether the scale of their cosines is learned.
    """

    def __init__(self, recipe: ReasoningLossRecipe):
        self.recipe = recipe

    def __call__(
        self, wrapped: torch.nn.Module, model: FeatureReasoningModel, batch: dict[str, Tensor]
    ) -> dict[str, Tensor]:
        """Return the loss of a batch of `collate_lists`."""
        outputs = wrapped(batch["query_embeds"], batch["candidate_embeds"], batch["candidate_mask"])
        scale = outputs.logit_scale if self.recipe.learn_scale else outputs.logit_scale.detach()
        loss = feature_reasoning_loss(
            outputs.query_embeds,
            outputs.candidate_embeds,
            batch["positives"],
            batch["candidate_mask"],
            1 / scale,
            self.recipe.pairs == "query",
        )
        return {"loss": loss}
