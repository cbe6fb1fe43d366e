"""Triplet loss over cosines (Dong et al. 2021; Wan et al. 2025, equation 14)."""

import torch
from torch.nn.functional import relu

from .cosine import all_cosines, paired_cosines


def triplet_loss(
    anchor: torch.Tensor, positive: torch.Tensor, negative: torch.Tensor, margin: float = 0.2
) -> torch.Tensor:
    """Return the triplet loss L_T, equation 14: the mean of `max(0, m - s(x, p) + s(x, n))`, s the cosine.

    Args:
        anchor (`torch.Tensor` of shape `(T, d)`): embeddings x; they need not be normalised.
        positive (`torch.Tensor` of shape `(T, d)`): embeddings p, of the anchor's value.
        negative (`torch.Tensor` of shape `(T, d)`): embeddings n, of another value of the same attribute.
        margin (`float`, *optional*, defaults to 0.2): m, at least 0.

    Returns:
        `torch.Tensor` of shape `()`: in [0, m + 2]; 0 if there is no triplet.
    """
    return _mean_hinge(paired_cosines(anchor, positive), paired_cosines(anchor, negative), margin)


def indexed_triplet_loss(embeds: torch.Tensor, triplets: torch.Tensor, margin: float = 0.2) -> torch.Tensor:
    """Return [`triplet_loss`] of triplets that share a batch of embeddings, without copying embeddings.

    Args:
        embeds (`torch.Tensor` of shape `(N, d)`): embeddings; they need not be normalised.
        triplets (`torch.Tensor` of shape `(T, 3)`): long; the rows of anchor, positive and negative.
        margin (`float`, *optional*, defaults to 0.2): m, at least 0.

    Returns:
        `torch.Tensor` of shape `()`: in [0, m + 2]; 0 if there is no triplet.
    """
    anchor, positive, negative = triplets.unbind(-1)
    similarity = all_cosines(embeds, embeds)  # (N, N)
    return _mean_hinge(similarity[anchor, positive], similarity[anchor, negative], margin)


def _mean_hinge(positive: torch.Tensor, negative: torch.Tensor, margin: float) -> torch.Tensor:
    return relu(margin - positive + negative).sum() / max(len(positive), 1)
