"""The losses of E2 over the joined batch of all processes (Qi, Zhao, Li 2024, section 3.3)."""

import torch

from .gather import gather_with_gradient
from .region import region_contrastive_loss
from .sigmoid import pair_loss


def e2_losses(
    image_embeds: torch.Tensor,
    text_embeds: torch.Tensor,
    logit_scale: torch.Tensor,
    region_embeds: torch.Tensor | None = None,
    tag_embeds: torch.Tensor | None = None,
    tag_ids: torch.Tensor | None = None,
    region_targets: str = "multi_positive",
    logit_bias: torch.Tensor | None = None,
) -> dict[str, torch.Tensor]:
    """Return L_con and, with regions and tags, L_region.

    Args:
        image_embeds (`torch.Tensor` of shape `(B, P)`): normalised image embeddings of this process.
        text_embeds (`torch.Tensor` of shape `(B, P)`): normalised text embeddings; row i belongs to image i.
        logit_scale (`torch.Tensor` of shape `()`): factor on the cosines, above 0.
        region_embeds (`torch.Tensor` of shape `(B, E, P)`, *optional*): normalised region embeddings.
        tag_embeds (`torch.Tensor` of shape `(B, E, P)`, *optional*): normalised embeddings of the tag strings.
        tag_ids (`torch.Tensor` of shape `(B, E)`, *optional*): equal for equal strings on every process; -1 = none.
        region_targets (`str`, *optional*, defaults to `"multi_positive"`): see [`region_contrastive_loss`].
        logit_bias (`torch.Tensor` of shape `()`, *optional*): bias on the logits. With it both losses are SigLIP's
            sigmoid loss and not InfoNCE.

    Returns:
        `dict[str, torch.Tensor]`: `"contrastive"` and, with regions, `"region"`; unweighted scalars, the same on
        every process.
    """
    images, texts = gather_with_gradient(image_embeds), gather_with_gradient(text_embeds)
    logits = logit_scale * images @ texts.T
    if logit_bias is not None:
        logits = logits + logit_bias
    losses = {"contrastive": pair_loss(logits, sigmoid=logit_bias is not None)}
    if region_embeds is not None and tag_embeds is not None:
        joined = [gather_with_gradient(tensor) for tensor in (region_embeds, tag_embeds, tag_ids)]
        losses["region"] = region_contrastive_loss(*joined, logit_scale, region_targets, logit_bias)
    return losses
