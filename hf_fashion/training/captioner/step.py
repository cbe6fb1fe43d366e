"""A step of training a captioner: from a batch of captions and their embeddings to its loss."""

import torch
from torch import Tensor

from ...losses.gather import joined_mean
from ...models.captioner.modeling_captioner import CaptionerForConditionalGeneration
from ..recipe import StageRecipe
from ..step import TrainingStep


class CaptionerStep(TrainingStep):
    """Compute the cross-entropy of the next token, over the tokens of all processes; the embedding model stays."""

    def start_stage(self, model: CaptionerForConditionalGeneration, stage: StageRecipe) -> None:
        """Freeze the embedding model.

        Args:
            model ([`CaptionerForConditionalGeneration`]): the model, unwrapped.
            stage (`StageRecipe`): the stage.
        """
        model.embedder.requires_grad_(False)

    def __call__(
        self, wrapped: torch.nn.Module, model: CaptionerForConditionalGeneration, batch: dict[str, Tensor]
    ) -> dict[str, Tensor]:
        """Return the loss of a batch of [`CaptionCollator`]."""
        return {"loss": joined_mean(wrapped(**batch).loss, (batch["labels"] >= 0).sum())}
