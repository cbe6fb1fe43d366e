"""k-reciprocal re-ranking (Zhong et al., "Re-ranking Person Re-identification with k-reciprocal Encoding", CVPR 2017).

Where the paper leaves a choice, the authors' code decides: the original distance is the squared Euclidean one, divided
by a node's largest; a node is the first of its own neighbours; half of k1 is rounded to even; a neighbour joins when
more than 2/3 of its own neighbours are shared (equation 3 has "at least").
"""

import math

import torch
from torch.nn.functional import pad

from ...losses.cosine import unit_rows
from .query_expansion import checked_mask


def k_reciprocal(
    query_embeds: torch.Tensor,
    candidate_embeds: torch.Tensor,
    candidate_mask: torch.Tensor | None = None,
    k1: int = 20,
    k2: int = 6,
    lambda_value: float = 0.3,
) -> torch.Tensor:
    """Score candidates by k-reciprocal encoding: those that share their neighbours with the query score high.

    Neighbours are looked for within the query's own list.

    Memory grows with Q k^2: 16 MB a query at k = 499.

    Args:
        query_embeds (`torch.Tensor` of shape `(Q, d)`): embeddings; they need not be normalised.
        candidate_embeds (`torch.Tensor` of shape `(Q, k, d)`): each query's candidates, the best first.
        candidate_mask (`torch.Tensor` of shape `(Q, k)`, *optional*): bool, False where a list has ended.
        k1 (`int`): neighbours that must be mutual, at least 1.
        k2 (`int`): neighbours, itself included, that a node's encoding is averaged over, at least 1.
        lambda_value (`float`): share of the original distance, in [0, 1]; 1 keeps the order of the cosines.

    Returns:
        `torch.Tensor` of shape `(Q, k)`: in [-1, 0], higher is better; -inf where masked. Float32 at least.

    Raises:
        ValueError: shapes or settings are not as above.
    """
    candidate_mask = checked_mask(query_embeds, candidate_embeds, candidate_mask)
    node_embeds = torch.cat([query_embeds[:, None], candidate_embeds], dim=1)  # (Q, 1 + k, d)
    node_mask = pad(candidate_mask, (1, 0), value=True)
    return -k_reciprocal_distances(node_embeds, node_mask, 1, k1, k2, lambda_value).squeeze(1)


def k_reciprocal_distances(
    node_embeds: torch.Tensor, node_mask: torch.Tensor, num_queries: int, k1: int, k2: int, lambda_value: float
) -> torch.Tensor:
    """Return the paper's final distance between queries and gallery, for any number of such sets at once.

    Args:
        node_embeds (`torch.Tensor` of shape `(..., n, d)`): the queries, then the gallery, of any length.
        node_mask (`torch.Tensor` of shape `(..., n)`): bool, False where a gallery has ended.
        num_queries (`int`): nodes that are queries.
        k1 (`int`): as in [`k_reciprocal`], like all others.
        k2 (`int`): neighbours of the local query expansion.
        lambda_value (`float`): share of the original distance.

    Returns:
        `torch.Tensor` of shape `(..., num_queries, n - num_queries)`: in [0, 1]; inf where masked.

    Raises:
        ValueError: a setting is not as in [`k_reciprocal`].
    """
    if min(k1, k2) < 1:
        raise ValueError(f"`k1` and `k2` must be at least 1, got {k1} and {k2}")
    if not 0 <= lambda_value <= 1:
        raise ValueError(f"`lambda_value` must be in [0, 1], got {lambda_value}")
    with torch.autocast(node_embeds.device.type, enabled=False):  # bfloat16 counts to 256 only
        squared = _squared_distances(node_embeds, node_mask)
        farthest = squared.masked_fill(squared.isinf(), 0).amax(-1, keepdim=True)  # (..., n, 1)
        original = squared / farthest.clamp(min=torch.finfo(squared.dtype).eps)  # a lone node is at 0, not at 0 / 0
        jaccard = _jaccard_distances(_encodings(squared, original, k1, k2), num_queries)
    final = (1 - lambda_value) * jaccard + lambda_value * original[..., :num_queries, num_queries:]
    return final.masked_fill(~node_mask[..., None, num_queries:], math.inf)


def _squared_distances(node_embeds: torch.Tensor, node_mask: torch.Tensor) -> torch.Tensor:
    """Between unit vectors, (..., n, n): inf from and to a masked node, 0 only from each node to itself."""
    units = unit_rows(node_embeds)
    squared = (2 - 2 * units @ units.mT).clamp(min=torch.finfo(units.dtype).eps)  # above 0, where duplicates are
    both = node_mask[..., None] & node_mask[..., None, :]
    itself = torch.eye(squared.shape[-1], dtype=torch.bool, device=squared.device)
    return squared.masked_fill(~both, math.inf).masked_fill(itself, 0)


def _encodings(squared: torch.Tensor, original: torch.Tensor, k1: int, k2: int) -> torch.Tensor:
    """V of sections 3.3 and 3.4, (..., n, n): Gaussian weights of a node's R*, averaged over its k2 nearest."""
    order = squared.argsort(stable=True)  # ties keep the order of the first search

    def nearest(number: int) -> torch.Tensor:
        """N(p, number), bool (..., n, n). Masked nodes enter last, when all others are in, and weigh exp(-inf)."""
        return torch.zeros_like(squared, dtype=torch.bool).scatter(-1, order[..., :number], True)

    wide, narrow = nearest(k1 + 1), nearest(round(k1 / 2) + 1)  # one more: the node itself
    weights = (-original).exp() * _expanded(wide & wide.mT, narrow & narrow.mT, squared.dtype)
    close = nearest(k2).to(squared.dtype)
    return close / close.sum(-1, keepdim=True) @ (weights / weights.sum(-1, keepdim=True))


def _expanded(wide: torch.Tensor, narrow: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
    """R*, bool (..., n, n), equation 3: R(p, k1) and every R(q, k1 / 2) of its members q that lies mostly within."""
    narrow = narrow.to(dtype)  # symmetric: row q = column q
    shared = wide.to(dtype) @ narrow  # (..., p, q): |R(p, k1) & R(q, k1 / 2)|
    joining = wide & (3 * shared > 2 * narrow.sum(-2, keepdim=True))
    return wide | (joining.to(dtype) @ narrow > 0)


def _jaccard_distances(encodings: torch.Tensor, num_queries: int) -> torch.Tensor:
    """1 - sum of minima / sum of maxima, section 3.3; rows sum to 1, so the maxima sum to 2 - the minima."""
    queries, gallery = encodings[..., :num_queries, None, :], encodings[..., None, num_queries:, :]
    minima = torch.minimum(queries, gallery).sum(-1)  # (..., num_queries, n - num_queries)
    return 1 - minima / (2 - minima)
