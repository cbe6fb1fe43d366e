"""Loss that pulls an item to the centre of its attribute value (Wan et al. 2025, equation 16)."""

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
    """Return L_CC, equation 16: a triplet loss of each item with its own centre and each other one of its attribute.

    An item counts once its own value and another value of its attribute have centres: a value that comes late does not
    delay the others.

    Args:
        embeds (`torch.Tensor` of shape `(N, d)`): of one branch; they need not be normalised.
        attribute_ids (`torch.Tensor` of shape `(N,)`): long, in [0, A); the attribute of each item.
        value_ids (`torch.Tensor` of shape `(N,)`): long, below V; its value; -1 = unlabelled, does not count.
        centres (`torch.Tensor` of shape `(A, V, d)`): equation 11; finite even if a value has none yet. They
            receive no gradient.
        present (`torch.Tensor` of shape `(A, V)`): bool; which centres exist.
        margin (`float`, *optional*, defaults to 0.2): m, at least 0.

    Returns:
        `torch.Tensor` of shape `()`: mean over the items that count, in [0, m + 2]; 0 if there are none.
    """
    num_attributes, num_values, _ = centres.shape
    # One product with all centres, without copying a centre for each of its items.
    cosines = all_cosines(embeds, centres.detach().flatten(0, 1)).unflatten(-1, (num_attributes, num_values))
    cosines = cosines[torch.arange(len(embeds), device=embeds.device), attribute_ids]  # (N, V)
    own = value_ids.clamp(min=0)[:, None]
    others = present[attribute_ids].scatter(-1, own, False)  # (N, V)
    counts = (value_ids >= 0) & present[attribute_ids, own[:, 0]] & others.any(-1)  # (N,)
    hinges = relu(margin - cosines.gather(-1, own) + cosines) * others
    losses = hinges.sum(-1) / others.sum(-1).clamp(min=1) * counts
    return losses.sum() / counts.sum().clamp(min=1)
