"""Classification of several attributes from one row of logits."""

from collections.abc import Sequence

import torch
from torch import nn


def attribute_cross_entropy(logits: torch.Tensor, value_ids: torch.Tensor, num_values: Sequence[int]) -> torch.Tensor:
    """Return the cross-entropy of each attribute over its values, averaged over its labels, then over attributes.

    Args:
        logits (`torch.Tensor` of shape `(B, P)`): for the values of all attributes, one attribute after the other.
        value_ids (`torch.Tensor` of shape `(B, A)`): long; -1 = unlabelled.
        num_values (`Sequence[int]`): number of values of each attribute; their sum is P.

    Returns:
        `torch.Tensor` of shape `()`: float32; 0 if the batch has no label.
    """
    parts = logits.float().split(list(num_values), dim=1)
    losses = [
        nn.functional.cross_entropy(part, ids, ignore_index=-1, reduction="sum") / (ids >= 0).sum().clamp(min=1)
        for part, ids in zip(parts, value_ids.T, strict=True)
    ]
    labelled = (value_ids >= 0).any(0).sum().clamp(min=1)
    return torch.stack(losses).sum() / labelled
