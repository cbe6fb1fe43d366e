"""A step of attribute-specific training: from a batch to its losses."""

import torch
from accelerate import Accelerator
from torch import Tensor
from transformers import PreTrainedModel

from ...losses.attribute import attribute_losses
from ...losses.attribute_items import AttributeItems
from ...losses.triplet_indices import batch_triplets
from ..step import TrainingStep
from .diverging import AttributeDiverging
from .recipe import AttributeStageRecipe, SamplingRecipe


SOURCE = "source_pixel_values"
BRANCH_FIELDS = ("global_embeds", "local_embeds", "background_embeds")


class AttributeStep(TrainingStep):
    """Compute the losses of the current stage over the joined batch of all processes.

    Args:
        accelerator (`Accelerator`): mixed precision of the momentum encoder, and the processes.
        sampling (`SamplingRecipe`): how the triplets of a batch are found.
        multi_label (`bool`, *optional*, defaults to `False`): whether images have several values of an attribute; if
            so, P x K groups of different processes make no triplets with each other.
        diverging (`AttributeDiverging`, *optional*): the cluster centres, if losses read them.
    """

    def __init__(
        self,
        accelerator: Accelerator,
        sampling: SamplingRecipe,
        multi_label: bool = False,
        diverging: AttributeDiverging | None = None,
    ):
        self.accelerator, self.sampling, self.diverging = accelerator, sampling, diverging
        self.multi_label = multi_label
        self.checkpointed = [diverging] if diverging else []
        self.weights: dict[str, float] = {}

    def start_stage(self, model: PreTrainedModel, stage: AttributeStageRecipe) -> None:
        """Take over the losses of a stage."""
        self.weights = stage.losses

    def __call__(
        self, wrapped: torch.nn.Module, model: PreTrainedModel, batch: dict[str, Tensor]
    ) -> dict[str, Tensor]:
        """Return the losses of a batch of [`AttributeCollator`]."""
        images = {name: batch[name] for name in ("pixel_values", SOURCE) if name in batch}
        outputs = wrapped(attribute_ids=batch["attribute_ids"], **images)
        items = self._items(outputs, batch).gathered()
        centres = self.diverging.centres if self.diverging else None
        losses = attribute_losses(items, self.triplets(items), self.weights, centres)
        if self.diverging:
            self._push(batch, images)
        return losses

    def after_update(self, model: PreTrainedModel) -> None:
        """Let the momentum encoder follow the model."""
        if self.diverging:
            self.diverging.update(model)

    def _items(self, outputs, batch: dict[str, Tensor]) -> AttributeItems:
        number = len(batch["value_ids"])
        embeds = {name: outputs[name].flatten(0, 1) for name in BRANCH_FIELDS if outputs.get(name) is not None}
        labels = {"attribute_ids": batch["attribute_ids"][:number], "value_ids": batch["value_ids"]}
        if len(batch["view_items"]):
            labels |= {"view_embeds": embeds["global_embeds"][number:], "view_items": batch["view_items"]}
        return AttributeItems(**{name: value[:number] for name, value in embeds.items()}, **labels)

    def triplets(self, items: AttributeItems) -> Tensor:
        """Return the triplets of the joined batch, long (T, 3): as they were drawn, or all that P x K groups make."""
        number, device = len(items.value_ids), items.value_ids.device
        if self.sampling.kind == "triplets":
            return torch.arange(number, device=device).view(-1, 3)
        attributes = items.attribute_ids
        if self.multi_label:
            ranks = torch.arange(number, device=device) // (number // self.accelerator.num_processes)
            attributes = attributes + (attributes.max() + 1) * ranks
        # The ids and so the seed are equal on all processes, which therefore draw the same triplets.
        generator = torch.Generator().manual_seed(int(items.value_ids.sum()) + number)
        return batch_triplets(attributes.cpu(), items.value_ids.cpu(), self.sampling.triplet_limit, generator).to(
            device
        )

    def _push(self, batch: dict[str, Tensor], images: dict[str, Tensor]) -> None:
        number = len(batch["value_ids"])
        shown = {name: image[:number] for name, image in images.items()}
        with self.accelerator.autocast():
            self.diverging.push(batch["attribute_ids"][:number], batch["value_ids"], **shown)
