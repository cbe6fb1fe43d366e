"""InfoNCE between two sets of embeddings, with one or several matches an item."""

import torch

from .gather import gather_with_gradient


def info_nce(logits: torch.Tensor, positives: torch.Tensor | None = None, valid: torch.Tensor | None = None):
    """Return symmetric InfoNCE of square logits; several matches share the target mass equally.

    Args:
        logits (`torch.Tensor` of shape `(..., B, B)`): scaled cosines, row i against column j.
        positives (`torch.Tensor` of shape `(..., B, B)`, *optional*): True if i and j match; symmetric. `None`: the
            diagonal.
        valid (`torch.Tensor` of shape `(..., B)`, *optional*): False for items that do not count. `None`: all
            count.

    Returns:
        `torch.Tensor` of shape `(...)`: mean over the valid items of both directions, 0 if there are none.
    """
    logits = logits.float()
    size, device = logits.shape[-1], logits.device
    positives = torch.eye(size, dtype=torch.bool, device=device) if positives is None else positives
    valid = torch.ones(logits.shape[:-1], dtype=torch.bool, device=device) if valid is None else valid
    pairs = valid.unsqueeze(-1) & valid.unsqueeze(-2)
    targets = (positives & pairs).float()
    targets = targets / targets.sum(-1, keepdim=True).clamp(min=1)
    logits = logits.masked_fill(~pairs, torch.finfo(logits.dtype).min)
    rows = -(targets * logits.log_softmax(-1)).sum((-1, -2))
    columns = -(targets * logits.transpose(-1, -2).log_softmax(-1)).sum((-1, -2))
    return (rows + columns) / 2 / valid.sum(-1).clamp(min=1)


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
