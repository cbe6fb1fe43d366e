"""The graph of a query and its candidates, seen from every node, and how features follow what is asked of it.

Source: Wan et al., "From spatial to semantic" (IPAD), 2025, section 3.3, equations 12 and 13. Signs, norms and the
order of steps, which the paper leaves open, are those of its ancestor: Shen et al., "Re-ranking for image retrieval
and transductive few-shot classification" (SSR), NeurIPS 2021.
Shapes: Q queries, k candidates of each, n = k + 1 nodes (the query first), features of dimension d.
"""

import torch
from torch.nn.functional import normalize


def candidate_orders(similarities: torch.Tensor, candidate_mask: torch.Tensor) -> torch.Tensor:
    """pi of every node: the candidates from the most similar to the least, those that are not there last.

    Args:
        similarities (`torch.Tensor` of shape `(Q, m, k)`): of m nodes with the candidates.
        candidate_mask (`torch.Tensor` of shape `(Q, k)`): bool; which candidates are there.

    Returns:
        `torch.Tensor` of shape `(Q, m, k)`: long; equal similarities keep the order of the list.
    """
    return similarities.masked_fill(~candidate_mask[:, None], -torch.inf).argsort(dim=-1, descending=True, stable=True)


def subgraphs(similarities: torch.Tensor, orders: torch.Tensor) -> torch.Tensor:
    """delta of every node i: [S(i, q), S(i, pi_i), S(q, pi_i)], which no numbering of the candidates changes.

    Args:
        similarities (`torch.Tensor` of shape `(Q, n, k)`): of every node with the candidates; row 0 is the query's.
        orders (`torch.Tensor` of shape `(Q, n, k)`): pi, from `candidate_orders`.

    Returns:
        `torch.Tensor` of shape `(Q, n, 2 * k + 1)`.
    """
    of_query = similarities[:, :1]  # (Q, 1, k)
    with_query = torch.cat([torch.ones_like(of_query[..., :1]), of_query], dim=-1).mT  # (Q, n, 1)
    own = similarities.gather(-1, orders)
    return torch.cat([with_query, own, of_query.expand_as(orders).gather(-1, orders)], dim=-1)


def aggregate(updates: torch.Tensor, orders: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """G of equation 12, what the sub-graphs ask of every similarity, summed; returned as G + G^T, which features feel.

    Args:
        updates (`torch.Tensor` of shape `(Q, n, 2 * k + 1)`): o(delta) of every node, 0 where no candidate is.
        orders (`torch.Tensor` of shape `(Q, n, k)`): pi, from `candidate_orders`.

    Returns:
        `tuple[torch.Tensor, torch.Tensor]`: G + G^T between the query and the candidates (Q, 1, k), and among the
        candidates (Q, k, k). The query's similarity with itself moves nothing and is left out.
    """
    with_query, own, of_query = updates.split([1, orders.shape[-1], orders.shape[-1]], dim=-1)
    own = torch.zeros_like(own).scatter(-1, orders, own)
    of_query = torch.zeros_like(of_query).scatter(-1, orders, of_query).sum(1, keepdim=True)
    among_candidates = own[:, 1:]
    return own[:, :1] + of_query + with_query[:, 1:].mT, among_candidates + among_candidates.mT


def move(features: torch.Tensor, pulls: torch.Tensor, step_size: float) -> torch.Tensor:
    """Equation 13 in closed form: one step of gradient descent on cosines, for any number of features at once.

    Args:
        features (`torch.Tensor` of shape `(..., d)`): f.
        pulls (`torch.Tensor` of shape `(..., d)`): row i of (G + G^T) F^, with F^ the features at length 1.
        step_size (`float`): rho.

    Returns:
        `torch.Tensor` of shape `(..., d)`: f - rho (pull - f^ <pull, f^>) / |f|: the part along f changes no cosine.
        A positive G drives apart; the network learns its sign.
    """
    units = normalize(features, dim=-1)
    tangents = pulls - units * (pulls * units).sum(-1, keepdim=True)
    lengths = torch.linalg.vector_norm(features, dim=-1, keepdim=True)
    return features - step_size * tangents / lengths.clamp(min=torch.finfo(features.dtype).tiny)


__all__ = ["aggregate", "candidate_orders", "move", "subgraphs"]
