"""The graph of a query and its candidates, seen from every node, and how features follow what is asked of it.

Source: Wan et al., "From spatial to semantic" (IPAD), 2025, section 3.3, equations 12 and 13. Signs, norms and the
order of steps, which the paper leaves open, are those of its ancestor: Shen et al., "Re-ranking for image retrieval
and transductive few-shot classification" (SSR), NeurIPS 2021.
Shapes: Q queries, k candidates of each, n = k + 1 nodes (the query first), features of dimension d.
"""

import torch


# Cosine of two candidates from which on they count as one photo that is there twice.
COPY_COSINE = 1 - 1e-6


def first_copies(similarities: torch.Tensor) -> torch.Tensor:
    """Return for every candidate the first one of the list that is a copy of it: itself, where none comes before.

    Copies have equal similarities with every node. Rounding would set them apart, and what a sub-graph asks goes by
    the order: reading the similarity of the first copy for all keeps them in the order of the list.

    Args:
        similarities (`torch.Tensor` of shape `(Q, k, k)`): cosines among the candidates.

    Returns:
        `torch.Tensor` of shape `(Q, k)`: long, places in the list.
    """
    itself = torch.eye(similarities.shape[-1], dtype=torch.bool, device=similarities.device)  # zero vectors too
    alike = (similarities >= COPY_COSINE) | itself
    return alike.byte().argmax(-1)  # argmax takes the first of equal values


def sort_candidates(
    similarities: torch.Tensor, candidate_mask: torch.Tensor | None
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return pi of some nodes: the candidates from the most similar to the least, missing ones last.

    Args:
        similarities (`torch.Tensor` of shape `(Q, m, k)`): of m nodes with the candidates.
        candidate_mask (`torch.Tensor` of shape `(Q, k)`, *optional*): bool; which candidates are there. Default: all.

    Returns:
        `tuple[torch.Tensor, torch.Tensor]`: S(i, pi_i), 0 where no candidate is, and pi_i, long, both of shape
        (Q, m, k). Equal similarities keep the order of the list, those that only rounding sets apart need not.
    """
    if candidate_mask is None:
        return similarities.sort(dim=-1, descending=True, stable=True)
    there = candidate_mask[:, None]
    values, orders = similarities.masked_fill(~there, -torch.inf).sort(dim=-1, descending=True, stable=True)
    return values.masked_fill(values.isneginf(), 0.0), orders


def subgraphs(of_query: torch.Tensor, own: torch.Tensor, orders: torch.Tensor) -> torch.Tensor:
    """Return delta of every node i: [S(i, q), S(i, pi_i), S(q, pi_i)], whatever the order of the candidates.

    Args:
        of_query (`torch.Tensor` of shape `(Q, 1, k)`): S(q, .), in the order of the list.
        own (`torch.Tensor` of shape `(Q, n, k)`): S(i, pi_i) of every node, the query's first.
        orders (`torch.Tensor` of shape `(Q, n, k)`): pi.

    Returns:
        `torch.Tensor` of shape `(Q, n, 2 * k + 1)`.
    """
    with_query = torch.cat([torch.ones_like(of_query[..., :1]), of_query], dim=-1).mT  # (Q, n, 1)
    return torch.cat([with_query, own, of_query.expand_as(orders).gather(-1, orders)], dim=-1)


def aggregate(
    with_query: torch.Tensor, own: torch.Tensor, of_query: torch.Tensor, orders: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return G of equation 12: the updates that the sub-graphs ask of every similarity, summed at its place.

    The three parts of o(delta) are those of delta. The query's similarity with itself moves nothing and is left out.

    Args:
        with_query (`torch.Tensor` of shape `(Q, n, 1)`): for S(i, q).
        own (`torch.Tensor` of shape `(Q, m, k)`): for S(i, pi_i) of the first m nodes, 1 (the query) to n; 0 where no
            candidate is, as in all others.
        of_query (`torch.Tensor` of shape `(Q, n, k)`): for S(q, pi_i).
        orders (`torch.Tensor` of shape `(Q, n, k)`): pi.

    Returns:
        `tuple[torch.Tensor, torch.Tensor]`: G + G^T between the query and the candidates (Q, 1, k), and G from the
        candidates among the m nodes to all candidates (Q, m - 1, k).
    """
    own = torch.zeros_like(own).scatter(-1, orders[:, : own.shape[1]], own)
    of_query = torch.zeros_like(of_query).scatter(-1, orders, of_query).sum(1, keepdim=True)
    return own[:, :1] + of_query + with_query[:, 1:].mT, own[:, 1:]


def move(features: torch.Tensor, pulls: torch.Tensor, step_size: float) -> torch.Tensor:
    """Move features by equation 13 in closed form: one step of gradient descent on cosines, for all features at once.

    Args:
        features (`torch.Tensor` of shape `(..., d)`): f.
        pulls (`torch.Tensor` of shape `(..., d)`): row i of (G + G^T) F^, with F^ the features at length 1.
        step_size (`float`): rho.

    Returns:
        `torch.Tensor` of shape `(..., d)`: f - rho (pull - f^ <pull, f^>) / |f|: the part along f changes no cosine.
        A positive G drives apart; the network learns its sign.
    """
    lengths = torch.linalg.vector_norm(features, dim=-1, keepdim=True).clamp(min=torch.finfo(features.dtype).tiny)
    units = features / lengths
    along = (pulls * units).sum(-1, keepdim=True)
    return features - (pulls - along * units) * (step_size / lengths)


__all__ = ["COPY_COSINE", "aggregate", "first_copies", "move", "sort_candidates", "subgraphs"]
