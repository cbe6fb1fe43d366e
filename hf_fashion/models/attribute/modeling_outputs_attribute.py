"""Output of every attribute-specific model."""

from dataclasses import dataclass

import torch
from transformers.utils import ModelOutput


@dataclass
class AttributeOutput(ModelOutput):
    """Embeddings of B images for K attributes each, and where the model looked; what a model lacks is `None`.

    Args:
        attribute_embeds (`torch.Tensor` of shape `(B, K, D)`): search features, L2-normalised: two images are as alike
            in an attribute as the dot product of its rows.
        global_embeds (`torch.Tensor` of shape `(B, K, d)`): branch that sees the whole image (ASEN's global branch,
            IPAD's IP-SP), not normalised.
        local_embeds (`torch.Tensor` of shape `(B, K, d)`): branch that sees the region (ASEN++'s local branch, IPAD's
            IP-SE), not normalised.
        background_embeds (`torch.Tensor` of shape `(B, K, d)`): what the attention left out (IPAD, RPF), not
            normalised.
        attention_maps (`torch.Tensor` of shape `(B, K, h, w)`): where the model looks; each map sums to 1. With
            several iterations, the last of `iteration_maps`.
        iteration_maps (`torch.Tensor` of shape `(B, K, Iter, h, w)`): where it looks after every iteration (IPAD):
            the product of the attention so far.
        boxes (`torch.Tensor` of shape `(B, K, 4)`): left, top, right, bottom of the region, in pixels of
            `source_pixel_values` (of `pixel_values` where no source came), long.
        hidden_states (`tuple`): states of the backbone, with `output_hidden_states=True`.
    """

    attribute_embeds: torch.Tensor | None = None
    global_embeds: torch.Tensor | None = None
    local_embeds: torch.Tensor | None = None
    background_embeds: torch.Tensor | None = None
    attention_maps: torch.Tensor | None = None
    iteration_maps: torch.Tensor | None = None
    boxes: torch.Tensor | None = None
    hidden_states: tuple[torch.Tensor, ...] | None = None


__all__ = ["AttributeOutput"]
