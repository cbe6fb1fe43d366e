"""Loss that holds an item near the centre of its attribute value (Wan et al. 2025, equation 16)."""

import torch
from torch.nn.functional import relu

from .cosine import all_cosines


def cluster_centre_loss(
    embeds: torch.Tensor,
    attribute_ids: torch.Tensor,
    value_ids: torch.Tensor,
    centres: torch.Tensor,
    present: torch.Tensor,
    margin: float = 0.2,
) -> torch.Tensor:
    """L_CC, equation 16: a triplet loss with the own centre as positive, averaged over the attribute's other centres.

    An item takes part once the centre of its own value and that of another value of its attribute are there, so
    values that come late hold back none but themselves.

    Args:
        embeds (`torch.Tensor` of shape `(N, d)`): of one branch; they need not be normalised.
        attribute_ids (`torch.Tensor` of shape `(N,)`): long, in [0, A); the attribute that each item stands for.
        value_ids (`torch.Tensor` of shape `(N,)`): long, below V; its value, -1 = unlabelled: takes no part.
        centres (`torch.Tensor` of shape `(A, V, d)`): equation 11; finite where there is none too. No gradient
            reaches them.
        present (`torch.Tensor` of shape `(A, V)`): bool; which centres are there.
        margin (`float`): m, at least 0.

    Returns:
        `torch.Tensor` of shape `()`: mean over the items that take part, in [0, m + 2]; 0 where none does.
    """
    num_attributes, num_values, _ = centres.shape
    # One product with all centres: no centre is copied for the items that it belongs to.
    cosines = all_cosines(embeds, centres.detach().flatten(0, 1)).unflatten(-1, (num_attributes, num_values))
    cosines = cosines[torch.arange(len(embeds), device=embeds.device), attribute_ids]  # (N, V)
    own = value_ids.clamp(min=0)[:, None]
    others = present[attribute_ids].scatter(-1, own, False)  # (N, V)
    takes_part = (value_ids >= 0) & present[attribute_ids, own[:, 0]] & others.any(-1)  # (N,)
    hinges = relu(margin - cosines.gather(-1, own) + cosines) * others
    losses = hinges.sum(-1) / others.sum(-1).clamp(min=1) * takes_part
    return losses.sum() / takes_part.sum().clamp(min=1)
