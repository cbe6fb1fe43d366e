"""The losses of E2 and of FILIP, as `forward` of their models computes them over the batch of one process.

Sources: Qi, Zhao, Li, "Easy Regional Contrastive Learning of Expressive Fashion Representations", NeurIPS 2024; Yao
et al., "FILIP: Fine-grained Interactive Language-Image Pre-Training", ICLR 2022.
"""

import torch
from torch import nn


# Copied from hf_fashion.losses.info_nce.info_nce
def info_nce(logits: torch.Tensor, positives: torch.Tensor | None = None, valid: torch.Tensor | None = None):
    """Return the symmetric InfoNCE loss of square logits; several matches share the target mass equally.

    Args:
        logits (`torch.Tensor` of shape `(..., B, B)`): scaled cosines, row i against column j.
        positives (`torch.Tensor` of shape `(..., B, B)`, *optional*): True where i and j match; symmetric. Default:
            the diagonal.
        valid (`torch.Tensor` of shape `(..., B)`, *optional*): False for items that take no part. Default: all.

    Returns:
        `torch.Tensor` of shape `(...)`: mean over the valid items of both directions, 0 where there is none.
    """
    logits = logits.float()
    size, device = logits.shape[-1], logits.device
    positives = torch.eye(size, dtype=torch.bool, device=device) if positives is None else positives
    valid = torch.ones(logits.shape[:-1], dtype=torch.bool, device=device) if valid is None else valid
    pairs = valid.unsqueeze(-1) & valid.unsqueeze(-2)
    targets = (positives & pairs).float()
    targets = targets / targets.sum(-1, keepdim=True).clamp(min=1)
    logits = logits.masked_fill(~pairs, torch.finfo(logits.dtype).min)
    rows = -(targets * logits.log_softmax(-1)).sum((-1, -2))
    columns = -(targets * logits.transpose(-1, -2).log_softmax(-1)).sum((-1, -2))
    return (rows + columns) / 2 / valid.sum(-1).clamp(min=1)


# Copied from hf_fashion.losses.sigmoid.sigmoid_loss
def sigmoid_loss(logits: torch.Tensor, positives: torch.Tensor | None = None, valid: torch.Tensor | None = None):
    """Return the sigmoid loss of square logits: every pair is a yes-or-no question of its own (section 3.2).

    Args:
        logits (`torch.Tensor` of shape `(..., B, B)`): scaled cosines plus a bias, row i against column j.
        positives (`torch.Tensor` of shape `(..., B, B)`, *optional*): True if i and j match. `None`: the diagonal.
        valid (`torch.Tensor` of shape `(..., B)`, *optional*): False for items that do not count. `None`: all
            count.

    Returns:
        `torch.Tensor` of shape `(...)`: sum over the pairs of an item, mean over the valid items, 0 if there are none.
    """
    logits = logits.float()
    size, device = logits.shape[-1], logits.device
    positives = torch.eye(size, dtype=torch.bool, device=device) if positives is None else positives
    valid = torch.ones(logits.shape[:-1], dtype=torch.bool, device=device) if valid is None else valid
    pairs = valid.unsqueeze(-1) & valid.unsqueeze(-2)
    losses = -nn.functional.logsigmoid(torch.where(positives, logits, -logits))
    return (losses * pairs).sum((-1, -2)) / valid.sum(-1).clamp(min=1)


# Copied from hf_fashion.losses.sigmoid.pair_loss
def pair_loss(
    logits: torch.Tensor,
    positives: torch.Tensor | None = None,
    valid: torch.Tensor | None = None,
    sigmoid: bool = False,
) -> torch.Tensor:
    """Return the loss of square logits that a model is trained with: InfoNCE, or SigLIP's.

    Args:
        logits (`torch.Tensor` of shape `(..., B, B)`): scaled cosines, with a bias for the sigmoid loss.
        positives (`torch.Tensor` of shape `(..., B, B)`, *optional*): True if i and j match. `None`: the diagonal.
        valid (`torch.Tensor` of shape `(..., B)`, *optional*): False for items that do not count. `None`: all
            count.
        sigmoid (`bool`, *optional*, defaults to `False`): [`sigmoid_loss`] in place of [`info_nce`].

    Returns:
        `torch.Tensor` of shape `(...)`.
    """
    return (sigmoid_loss if sigmoid else info_nce)(logits, positives, valid)


# Copied from hf_fashion.losses.region.region_contrastive_loss
def region_contrastive_loss(
    region_embeds: torch.Tensor,
    tag_embeds: torch.Tensor,
    tag_ids: torch.Tensor,
    logit_scale: torch.Tensor,
    targets: str = "multi_positive",
    logit_bias: torch.Tensor | None = None,
) -> torch.Tensor:
    """Return the region loss of E2: symmetric InfoNCE between an entity's regions and its tags, mean over entities.

    Args:
        region_embeds (`torch.Tensor` of shape `(B, E, P)`): normalised region embeddings.
        tag_embeds (`torch.Tensor` of shape `(B, E, P)`): normalised embeddings of the tag strings.
        tag_ids (`torch.Tensor` of shape `(B, E)`): equal within an entity for equal strings; -1 = no tag.
        logit_scale (`torch.Tensor` of shape `()`): factor on the cosines, above 0.
        targets (`str`): `"multi_positive"` (equal tags match) or `"diagonal"` (only a product's own tag does).
        logit_bias (`torch.Tensor` of shape `()`, *optional*): bias on the logits, for SigLIP's sigmoid loss.

    Returns:
        `torch.Tensor` of shape `()`: mean over the entities that have a tag in the batch, 0 where none has.
    """
    ids = tag_ids.T  # (E, B)
    valid = ids >= 0
    logits = logit_scale * torch.einsum("bep,cep->ebc", region_embeds, tag_embeds)  # (E, B, B)
    positives = ids.unsqueeze(-1) == ids.unsqueeze(-2) if targets == "multi_positive" else None
    if logit_bias is not None:
        logits = logits + logit_bias
    losses = pair_loss(logits, positives, valid, sigmoid=logit_bias is not None)  # (E,)
    return losses.sum() / valid.any(-1).sum().clamp(min=1)


# Copied from hf_fashion.losses.sigmoid.filip_loss
def filip_loss(logits_per_image: torch.Tensor, logits_per_text: torch.Tensor, sigmoid: bool = False) -> torch.Tensor:
    """Return the mean of the losses of images among texts and of texts among images, each with its own logits.

    Unlike cosines, token similarities are other ones from an image to a text than from the text to the image.

    Args:
        logits_per_image (`torch.Tensor` of shape `(B, B)`): scaled similarities from image i to text j.
        logits_per_text (`torch.Tensor` of shape `(B, B)`): scaled similarities from text i to image j.
        sigmoid (`bool`, *optional*, defaults to `False`): SigLIP's loss in place of the cross-entropy.

    Returns:
        `torch.Tensor` of shape `()`.
    """
    logits = torch.stack([logits_per_image, logits_per_text]).float()  # (2, B, B)
    if sigmoid:
        return sigmoid_loss(logits).mean()
    return -logits.log_softmax(-1).diagonal(dim1=1, dim2=2).mean()


# Copied from hf_fashion.metrics.token_similarity.token_similarity
def token_similarity(
    image_tokens: torch.Tensor,
    text_tokens: torch.Tensor,
    image_mask: torch.Tensor | None = None,
    text_mask: torch.Tensor | None = None,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the token-wise maximum similarity of every image and every text, both ways.

    From an image to a text it is the mean, over the image's tokens, of the highest inner product with a token of the
    text; from a text to an image the mean, over the text's tokens, of the highest with a token of the image. The
    gradient of a maximum goes to one token.

    Args:
        image_tokens (`torch.Tensor` of shape `(B, N, D)`): L2-normalised for cosine.
        text_tokens (`torch.Tensor` of shape `(T, L, D)`): L2-normalised for cosine.
        image_mask (`torch.Tensor` of shape `(B, N)`, *optional*): bool, False for padding; one is True at least in
            every row. `None`: all tokens count.
        text_mask (`torch.Tensor` of shape `(T, L)`, *optional*): the same for the texts.

    Returns:
        `tuple[torch.Tensor, torch.Tensor]`: image to text (B, T), text to image (T, B); float32 or better.
    """
    products = torch.tensordot(image_tokens, text_tokens, dims=([2], [2]))  # (B, N, T, L)
    best_texts = products if text_mask is None else products.masked_fill(~text_mask, -torch.inf)
    best_images = products if image_mask is None else products.masked_fill(~image_mask[..., None, None], -torch.inf)
    exact = torch.promote_types(products.dtype, torch.float32)  # means in bfloat16 would be equal for many items
    best_texts, best_images = best_texts.max(3).values.to(exact), best_images.max(1).values.to(exact)
    image_shares = torch.ones_like(best_texts[:, :, 0]) if image_mask is None else image_mask  # (B, N)
    text_shares = torch.ones_like(best_images[0]) if text_mask is None else text_mask  # (T, L)
    image_shares = image_shares / image_shares.sum(1, keepdim=True)
    text_shares = text_shares / text_shares.sum(1, keepdim=True)
    return (best_texts * image_shares[..., None]).sum(1), (best_images * text_shares).sum(2).T


__all__ = ["filip_loss", "info_nce", "pair_loss", "region_contrastive_loss", "sigmoid_loss", "token_similarity"]
