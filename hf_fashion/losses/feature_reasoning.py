"""Loss that teaches FR to re-rank (Wan et al. 2025, equation 17)."""

import torch
from torch.nn.functional import pad, softplus

from .cosine import unit_rows


def feature_reasoning_loss(
    query_embeds: torch.Tensor,
    candidate_embeds: torch.Tensor,
    positives: torch.Tensor,
    candidate_mask: torch.Tensor,
    temperature: float | torch.Tensor = 0.07,
    query_rows_only: bool = False,
) -> torch.Tensor:
    """Return L_O, equation 17: InfoNCE of each pair of one value against all images of other values.

    The pairs (i, j) are all ordered pairs of different images among the query and its positives. The paper sums over
    the pairs; here each list has the same weight, whatever its number of positives.

    Args:
        query_embeds (`torch.Tensor` of shape `(Q, d)`): moved queries; they need not be normalised.
        candidate_embeds (`torch.Tensor` of shape `(Q, k, d)`): moved candidates.
        positives (`torch.Tensor` of shape `(Q, k)`): bool; candidates of the query's value.
        candidate_mask (`torch.Tensor` of shape `(Q, k)`): bool; which candidates are real, not padding.
        temperature (`float` or `torch.Tensor`, *optional*, defaults to 0.07): tau, above 0; a tensor of one number if
            it is learned.
        query_rows_only (`bool`, *optional*, defaults to `False`): whether i is only the query, as in SSR.

    Returns:
        `torch.Tensor` of shape `()`: mean over pairs, then over the lists with a positive; at least 0, and 0 if no
        list has one.
    """
    units = unit_rows(torch.cat([query_embeds[:, None], candidate_embeds], dim=1))  # (Q, n, d)
    same = pad(positives & candidate_mask, (1, 0), value=True)  # (Q, n): the query's value
    others = pad(~positives & candidate_mask, (1, 0), value=False)
    rows = 1 if query_rows_only else units.shape[1]
    with torch.autocast(units.device.type, enabled=False):  # half precision cannot tell cosines apart
        logits = units[:, :rows] @ units.mT / temperature  # (Q, rows, n)
    against = logits.masked_fill(~others[:, None], -torch.inf).logsumexp(-1, keepdim=True)
    itself = torch.eye(units.shape[1], dtype=torch.bool, device=units.device)[:rows]
    pairs = same[:, :rows, None] & same[:, None] & ~itself
    # A list without other values teaches nothing: softplus(-inf) is 0, but its gradient is NaN.
    pairs = pairs & others.any(-1)[:, None, None]
    losses = softplus(torch.where(pairs, against - logits, 0.0)) * pairs
    means = losses.sum((1, 2)) / pairs.sum((1, 2)).clamp(min=1)
    return means.sum() / same[:, 1:].any(-1).sum().clamp(min=1)
