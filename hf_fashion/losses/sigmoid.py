"""SigLIP's loss of pairs (Zhai et al. 2023, "Sigmoid Loss for Language Image Pre-Training"), and the choice of one."""

import torch
from torch import nn

from .info_nce import info_nce


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


def filip_loss(logits_per_image: torch.Tensor, logits_per_text: torch.Tensor, sigmoid: bool = False) -> torch.Tensor:
    """Return the mean of the losses of images among texts and of texts among images, each with its own logits.

    It is FILIP's (Yao et al., "FILIP", ICLR 2022, section 3.1).
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
