"""Alignment of the two branches of ASEN++ (Dong et al. 2021)."""

import torch
from torch.nn.functional import relu

from .cosine import paired_cosines


def branch_alignment_loss(global_embeds: torch.Tensor, local_embeds: torch.Tensor) -> torch.Tensor:
    """Mean of `max(0, 1 - s)`, s the cosine of what the two branches say about one item.

    Args:
        global_embeds (`torch.Tensor` of shape `(N, d)`): of the whole image; they need not be normalised.
        local_embeds (`torch.Tensor` of shape `(N, d)`): of its region of interest; row i belongs to image i.

    Returns:
        `torch.Tensor` of shape `()`: in [0, 2]; 0 where there is no item.
    """
    # The hinge only takes away what rounding leaves below 0.
    return relu(1 - paired_cosines(global_embeds, local_embeds)).sum() / max(len(global_embeds), 1)
