"""A step of training E2, CLIP or FILIP: from a batch to its losses."""

import math

import torch
from torch import Tensor
from transformers import CLIPModel, SiglipModel

from ...losses.e2 import e2_losses
from ...losses.gather import gather_sequences, gather_with_gradient
from ...losses.sigmoid import filip_loss
from ...metrics import chunked_token_similarity
from ...models.e2.modeling_e2 import E2Model
from ...models.e2.modeling_filip import FilipModel
from ..step import TrainingStep
from .recipe import E2ModelRecipe, RegionWeightRecipe


MAX_LOGIT_SCALE = math.log(100)  # CLIP (Radford et al. 2021, section 2.5) clips the factor on the cosines at 100


class ClipStep(TrainingStep):
    """Compute the loss of CLIP, or of SigLIP, over the joined batch of all processes."""

    def __call__(
        self, wrapped: torch.nn.Module, model: CLIPModel | SiglipModel | E2Model, batch: dict[str, Tensor]
    ) -> dict[str, Tensor]:
        """Return the losses of a batch of [`ProductCollator`] without tags."""
        outputs = wrapped(**batch)
        bias = getattr(model, "logit_bias", None)
        losses = e2_losses(outputs.image_embeds, outputs.text_embeds, model.logit_scale.exp(), logit_bias=bias)
        return losses | {"loss": losses["contrastive"]}

    def after_update(self, model: CLIPModel | SiglipModel | E2Model) -> None:
        """Clip the factor on the cosines, where it is trained. SigLIP's, with its bias, is not bounded."""
        if model.logit_scale.requires_grad and getattr(model, "logit_bias", None) is None:
            model.logit_scale.clamp_(0, MAX_LOGIT_SCALE)


class FilipStep(ClipStep):
    """Compute the loss of FILIP over the joined batch of all processes."""

    def __call__(self, wrapped: torch.nn.Module, model: FilipModel, batch: dict[str, Tensor]) -> dict[str, Tensor]:
        """Return the losses of a batch of [`ProductCollator`] without tags."""
        outputs = wrapped(**batch, compare=False)
        images = gather_with_gradient(outputs.image_token_embeds)
        texts = gather_sequences(outputs.text_token_embeds)
        mask = gather_sequences(outputs.text_token_mask).bool()
        similarities = chunked_token_similarity(images, texts, text_mask=mask)
        loss = filip_loss(*map(outputs.scaled, similarities), sigmoid=model.logit_bias is not None)
        # DDP waits for the gradient of every parameter; that of a tower's own pooling head is 0.
        return {"contrastive": loss, "loss": loss + 0 * outputs.image_embeds.sum()}


class E2Step(ClipStep):
    """Compute E2's losses over the joined batch of all processes, and their weighted sum (paper, section 3.3).

    Args:
        region_weight (`RegionWeightRecipe`, *optional*): schedule of the region loss weight. `None`: the
            weight in the configuration of the model.
    """

    def __init__(self, region_weight: RegionWeightRecipe | None = None):
        self.region_weight, self.epochs = region_weight, 0.0

    def start_batch(self, epochs: float) -> None:
        """Note how far the run has come, for the schedule."""
        self.epochs = epochs

    def __call__(self, wrapped: torch.nn.Module, model: E2Model, batch: dict[str, Tensor]) -> dict[str, Tensor]:
        """Return the losses of a batch of [`ProductCollator`] with tags."""
        outputs = wrapped(**batch)
        losses = e2_losses(
            outputs.image_embeds,
            outputs.text_embeds,
            model.logit_scale.exp(),
            outputs.region_embeds,
            outputs.tag_embeds,
            batch["tag_ids"],
            model.config.region_targets,
            model.logit_bias,
        )
        weights = {"contrastive": model.config.contrastive_loss_weight, "region": model.config.region_loss_weight}
        if self.region_weight is not None:
            weights["region"] = scheduled_weight(self.region_weight, self.epochs)
        return losses | {"loss": sum(weights[name] * loss for name, loss in losses.items())}


def scheduled_weight(schedule: RegionWeightRecipe, epochs: float) -> float:
    """Return the region loss weight at a point of a run.

    Args:
        schedule (`RegionWeightRecipe`): from where to where, and over how many epochs.
        epochs (`float`): epochs of the run so far.
    """
    share = min(1.0, epochs / schedule.epochs)
    return schedule.start + share * (schedule.end - schedule.start)


def make_step(recipe: E2ModelRecipe) -> ClipStep:
    """Return the step of an architecture.

    Args:
        recipe (`E2ModelRecipe`): the architecture, and its region loss weight.
    """
    if recipe.architecture == "e2":
        return E2Step(recipe.region_weight)
    return FilipStep() if recipe.architecture == "filip" else ClipStep()
