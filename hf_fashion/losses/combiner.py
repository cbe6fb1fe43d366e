"""Loss that teaches a combiner to find the products that a photo and words ask for."""

import torch

from .gather import gather_with_gradient
from .info_nce import info_nce


def combiner_loss(
    query_embeds: torch.Tensor, target_embeds: torch.Tensor, keys: torch.Tensor, scale: float | torch.Tensor
) -> torch.Tensor:
    """Return symmetric InfoNCE of queries and targets, with those of all processes as negatives.

    Args:
        query_embeds (`torch.Tensor` of shape `(B, S, d)`): queries, scored by the sum of their inner products over S
            spaces; they are not normalised.
        target_embeds (`torch.Tensor` of shape `(B, S, d)`): a product to find for each query, of length 1.
        keys (`torch.Tensor` of shape `(B,)`): int64; equal where one query's target is one of the other too.
        scale (`float` or `torch.Tensor`): factor on the scores, above 0; a tensor of one number if it is learned.

    Returns:
        `torch.Tensor` of shape `()`: at least 0.
    """
    queries, targets, keys = map(gather_with_gradient, (query_embeds.float(), target_embeds.float(), keys))
    with torch.autocast(queries.device.type, enabled=False):  # half precision cannot tell scores apart
        logits = scale * (queries.flatten(1) @ targets.flatten(1).mT)  # (B, B)
    return info_nce(logits, keys[:, None] == keys)
