"""Alignment of the two branches of ASEN++ (Dong et al. 2021)."""

import torch
from torch.nn.functional import relu

from .cosine import paired_cosines


def branch_alignment_loss(global_embeds: torch.Tensor, local_embeds: torch.Tensor) -> torch.Tensor:
    """Return the mean of `max(0, 1 - s)`, s the cosine between the two branches' embeddings of an item.

    Args:
        global_embeds (`torch.Tensor` of shape `(N, d)`): of the whole image; they need not be normalised.
        local_embeds (`torch.Tensor` of shape `(N, d)`): of its region of interest; row i belongs to image i.

    Returns:
        `torch.Tensor` of shape `()`: in [0, 2]; 0 if there is no item.
    """
    # 1 - s is negative only by rounding; the hinge removes that.
    return relu(1 - paired_cosines(global_embeds, local_embeds)).sum() / max(len(global_embeds), 1)
