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
    """L_E, equation 15, in the form that RPF and IPAD train with.

    An item's whole image (IP-SP) is drawn to the regions (IP-SE) of all items of its attribute and value, its own
    among them, against the regions of all items and, `epsilon` times, the backgrounds of all items of its attribute.
    The printed equation differs: its Phi takes the backgrounds of the same value only, each beside its own image.

    Args:
        global_embeds (`torch.Tensor` of shape `(N, d)`): f_sp; they need not be normalised.
        local_embeds (`torch.Tensor` of shape `(N, d)`): f_se; row i belongs to image i, as in all others.
        background_embeds (`torch.Tensor` of shape `(N, d)`): f_sp of what the attention leaves out.
        attribute_ids (`torch.Tensor` of shape `(N,)`): long; the attribute that each item stands for.
        value_ids (`torch.Tensor` of shape `(N,)`): long; its value.
        temperature (`float`): tau, above 0.
        epsilon (`float`): how often a background counts, above 0.

    Returns:
        `torch.Tensor` of shape `()`: mean over the items, at least 0; 0 where there is no item.
    """
    regions = all_cosines(global_embeds, local_embeds) / temperature  # (N, N)
    backgrounds = all_cosines(global_embeds, background_embeds) / temperature + math.log(epsilon)
    same_attribute = attribute_ids[:, None] == attribute_ids
    same_value = same_attribute & (value_ids[:, None] == value_ids)
    everything = torch.cat([regions, backgrounds.masked_fill(~same_attribute, -math.inf)], dim=-1)  # (N, 2N)
    matches = regions.masked_fill(~same_value, -math.inf)
    return (everything.logsumexp(-1) - matches.logsumexp(-1)).sum() / max(len(regions), 1)
