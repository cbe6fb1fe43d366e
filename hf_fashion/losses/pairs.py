"""The loss between two sets of embeddings that a model is trained with: InfoNCE or SigLIP's."""

import torch

from .info_nce import info_nce
from .sigmoid import sigmoid_loss


def pair_loss(
    logits: torch.Tensor,
    positives: torch.Tensor | None = None,
    valid: torch.Tensor | None = None,
    sigmoid: bool = False,
) -> torch.Tensor:
    """Return the loss of square logits that a model is trained with: InfoNCE, or SigLIP's.

    Args:
        logits (`torch.Tensor` of shape `(..., B, B)`): scaled cosines, with a bias for the sigmoid loss.
        positives (`torch.Tensor` of shape `(..., B, B)`, *optional*): True if i and j match. `None`: the diagonal.
        valid (`torch.Tensor` of shape `(..., B)`, *optional*): False for items that do not count. `None`: all
            count.
        sigmoid (`bool`, *optional*, defaults to `False`): [`sigmoid_loss`] in place of [`info_nce`].

    Returns:
        `torch.Tensor` of shape `(...)`.
    """
    return (sigmoid_loss if sigmoid else info_nce)(logits, positives, valid)
