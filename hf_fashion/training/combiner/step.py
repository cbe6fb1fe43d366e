"""A step of training a combiner: from a batch of queries to its loss."""

import torch
from torch import Tensor

from ...losses.info_nce import combiner_loss
from ...models.combiner.modeling_combiner import CombinerModel
from ..step import TrainingStep


# ln(100), as in CLIP: the factor on the scores grows no further.
MAX_LOGIT_SCALE = 4.6052


class CombinerStep(TrainingStep):
    """Compute the loss of a combiner."""

    def __call__(self, wrapped: torch.nn.Module, model: CombinerModel, batch: dict[str, Tensor]) -> dict[str, Tensor]:
        """Return the loss of a batch of `collate_queries`."""
        outputs = wrapped(batch["photo_embeds"], batch["words_embeds"], batch["start_embeds"])
        loss = combiner_loss(outputs.query_embeds, batch["target_embeds"], batch["keys"], outputs.logit_scale)
        return {"loss": loss}

    def after_update(self, model: CombinerModel) -> None:
        """Limit the factor on the scores."""
        model.logit_scale.clamp_(max=MAX_LOGIT_SCALE)
