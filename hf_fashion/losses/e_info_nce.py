"""E-InfoNCE between the two branches, with the background as a penalty (Wan et al. 2025, equation 15)."""

import math

import torch

from .cosine import all_cosines


def e_info_nce(
    global_embeds: torch.Tensor,
    local_embeds: torch.Tensor,
    background_embeds: torch.Tensor,
    attribute_ids: torch.Tensor,
    value_ids: torch.Tensor,
    temperature: float = 0.07,
    epsilon: float = 12.0,
) -> torch.Tensor:
    """Return L_E, equation 15, in the form that RPF and IPAD train with.

    An item's image (IP-SP) is contrasted with the regions (IP-SE) of all items; those of its attribute and value, its
    own included, are positives. The backgrounds of all items of its attribute are negatives too, with the weight
    `epsilon`. The printed equation differs: its Phi has only the backgrounds of the same value, each with its own
    image.

    Args:
        global_embeds (`torch.Tensor` of shape `(N, d)`): f_sp; they need not be normalised.
        local_embeds (`torch.Tensor` of shape `(N, d)`): f_se; row i belongs to image i, as in all others.
        background_embeds (`torch.Tensor` of shape `(N, d)`): f_sp of the background, which the attention masks out.
        attribute_ids (`torch.Tensor` of shape `(N,)`): long; the attribute of each item.
        value_ids (`torch.Tensor` of shape `(N,)`): long; its value.
        temperature (`float`, *optional*, defaults to 0.07): tau, above 0.
        epsilon (`float`, *optional*, defaults to 12.0): weight of a background, above 0.

    Returns:
        `torch.Tensor` of shape `()`: mean over the items, at least 0; 0 if there is no item.
    """
    regions = all_cosines(global_embeds, local_embeds) / temperature  # (N, N)
    backgrounds = all_cosines(global_embeds, background_embeds) / temperature + math.log(epsilon)
    same_attribute = attribute_ids[:, None] == attribute_ids
    same_value = same_attribute & (value_ids[:, None] == value_ids)
    everything = torch.cat([regions, backgrounds.masked_fill(~same_attribute, -math.inf)], dim=-1)  # (N, 2N)
    matches = regions.masked_fill(~same_value, -math.inf)
    return (everything.logsumexp(-1) - matches.logsumexp(-1)).sum() / max(len(regions), 1)
