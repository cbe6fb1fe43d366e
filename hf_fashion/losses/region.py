"""Region contrastive loss of E2 (Qi, Zhao, Li 2024, section 3.3)."""

import torch

from .sigmoid import pair_loss


def region_contrastive_loss(
    region_embeds: torch.Tensor,
    tag_embeds: torch.Tensor,
    tag_ids: torch.Tensor,
    logit_scale: torch.Tensor,
    targets: str = "multi_positive",
    logit_bias: torch.Tensor | None = None,
) -> torch.Tensor:
    """Return L_region of E2: symmetric InfoNCE between an entity's regions and its tags, mean over the entities.

    Args:
        region_embeds (`torch.Tensor` of shape `(B, E, P)`): normalised region embeddings.
        tag_embeds (`torch.Tensor` of shape `(B, E, P)`): normalised embeddings of the tag strings.
        tag_ids (`torch.Tensor` of shape `(B, E)`): equal within an entity for equal strings; -1 = no tag.
        logit_scale (`torch.Tensor` of shape `()`): factor on the cosines, above 0.
        targets (`str`, *optional*, defaults to `"multi_positive"`): `"multi_positive"` (equal tags match) or
            `"diagonal"` (only a product's own tag matches).
        logit_bias (`torch.Tensor` of shape `()`, *optional*): bias on the logits. With it the loss of each entity is
            SigLIP's sigmoid loss and not InfoNCE.

    Returns:
        `torch.Tensor` of shape `()`: mean over the entities that have a tag in the batch, 0 if none has one.
    """
    ids = tag_ids.T  # (E, B)
    valid = ids >= 0
    logits = logit_scale * torch.einsum("bep,cep->ebc", region_embeds, tag_embeds)  # (E, B, B)
    positives = ids.unsqueeze(-1) == ids.unsqueeze(-2) if targets == "multi_positive" else None
    if logit_bias is not None:
        logits = logits + logit_bias
    losses = pair_loss(logits, positives, valid, sigmoid=logit_bias is not None)  # (E,)
    return losses.sum() / valid.any(-1).sum().clamp(min=1)
