"""Return mean average precision (MAP) of attribute-specific search, as ASEN++, RPF and IPAD report it.

Conventions, which differ from `hf_fashion.metrics.ranking` because the published results do:

- AP of a query is (1 / R) times the sum, over its R relevant candidates, of the precision at their ranks in the full
  ranking of its attribute's candidates; a query without a relevant candidate counts, with AP 0;
- candidates with equal scores keep their given order (a stable sort): give them in an order that does not depend on
  values. Scores are computed in float64, and those that only its rounding sets apart are equal, so that no result
  depends on the chunk that it is computed in;
- MAP of an attribute is the mean over its queries; the total is the mean over all queries, so that an attribute counts
  by its number of queries; the plain mean over attributes is returned too.
"""

from collections.abc import Mapping

import torch
from torch import Tensor
from torch.nn.functional import pad

from .ranking import check_embeddings, matches_per_query, score_chunks


def average_precisions(
    query_embeds: Tensor,
    gallery_embeds: Tensor,
    query_labels: Tensor,
    gallery_labels: Tensor,
    chunk_size: int | None = None,
) -> Tensor:
    """Return average precision (AP) of every query among the candidates of one attribute.

    Args:
        query_embeds (`torch.Tensor` of shape `(Q, D)`): floating; L2-normalised for cosine.
        gallery_embeds (`torch.Tensor` of shape `(G, D)`): floating, on the same device.
        query_labels (`torch.Tensor` of shape `(Q,)`): integer; the value that is searched for.
        gallery_labels (`torch.Tensor` of shape `(G,)` or `(G, V)`): integer, the value of each candidate; or bool,
            which of the V values it has.
        chunk_size (`int`, *optional*): queries compared at a time. Default: as many as keep a chunk within
            `ranking.MAX_CHUNK_SCORES` scores.

    Returns:
        `torch.Tensor` of shape `(Q,)`: float64, from 0 to 1; 0 where no candidate is relevant.

    Raises:
        ValueError: shapes or types are not as above, or embeddings are not finite.
    """
    check_search(query_embeds, gallery_embeds, query_labels, gallery_labels)
    measured = query_embeds.new_zeros(len(query_embeds), dtype=torch.float64)
    for chunk, scores, rounding in score_chunks(query_embeds, gallery_embeds, chunk_size, tie_units=0):
        order = stable_order(scores, rounding)  # (C, G)
        measured[chunk] = average_precisions_of_hits(relevance(query_labels[chunk], gallery_labels).gather(1, order))
    return measured


def average_precisions_of_hits(hits: Tensor) -> Tensor:
    """Return average precision (AP) of given rankings.

    Args:
        hits (`torch.Tensor` of shape `(Q, G)`): bool; whether the candidate at each rank is relevant.

    Returns:
        `torch.Tensor` of shape `(Q,)`: float64, from 0 to 1; 0 where no candidate is relevant.
    """
    ranks = torch.arange(1, hits.shape[1] + 1, device=hits.device)
    precisions = hits.cumsum(dim=1).double().div_(ranks).mul_(hits)
    return precisions.sum(dim=1) / hits.sum(dim=1).clamp(min=1)


def expected_average_precisions(query_labels: Tensor, gallery_labels: Tensor) -> Tensor:
    """Return the exact expectation of AP under a random order of the candidates, for every query.

    With R of G candidates relevant, (1 / G) * (H + (R - 1) / (G - 1) * (G - H)) where H = 1 + 1/2 + ... + 1/G.

    Args:
        query_labels (`torch.Tensor` of shape `(Q,)`): integer.
        gallery_labels (`torch.Tensor` of shape `(G,)` or `(G, V)`): integer or bool, as in `average_precisions`.

    Returns:
        `torch.Tensor` of shape `(Q,)`: float64; 0 where no candidate is relevant.
    """
    if gallery_labels.dtype == torch.bool:
        relevant = gallery_labels.sum(dim=0)[query_labels]
    else:
        relevant = matches_per_query(query_labels, gallery_labels)
    return expected_average_precisions_of_counts(relevant, len(gallery_labels))


def expected_average_precisions_of_counts(relevant: Tensor, number: int) -> Tensor:
    """Return `expected_average_precisions` of known counts.

    Args:
        relevant (`torch.Tensor` of shape `(Q,)`): integer; R of each query.
        number (`int`): G, candidates of each query.

    Returns:
        `torch.Tensor` of shape `(Q,)`: float64; 0 where no candidate is relevant.
    """
    harmonic = (1 / torch.arange(1, number + 1, dtype=torch.float64)).sum().item()
    share = (relevant.double() - 1) / max(1, number - 1)
    return (harmonic + share * (number - harmonic)) / max(1, number) * (relevant > 0)


def attribute_map(by_attribute: Mapping[str, Tensor], name: str = "map") -> dict[str, float]:
    """Return mean average precision (MAP), of each attribute and overall.

    Args:
        by_attribute (`Mapping[str, torch.Tensor]`): attribute -> AP of its queries, floating (Q,) with Q at least 1.
        name (`str`, *optional*, defaults to `"map"`): name of the metric in the keys.

    Returns:
        `dict[str, float]`: `{name}` (mean over all queries), `mean_attribute_{name}` (mean over attributes) and
        `{attribute}_{name}`.

    Raises:
        ValueError: there is no attribute, or an attribute has no query.
    """
    empty = [attribute for attribute, values in by_attribute.items() if not len(values)]
    if empty or not by_attribute:
        raise ValueError(f"every attribute needs a query, and there must be one; without a query: {empty}")
    means = {attribute: values.mean().item() for attribute, values in by_attribute.items()}
    total = torch.cat(list(by_attribute.values())).mean().item()
    metrics = {name: total, f"mean_attribute_{name}": sum(means.values()) / len(means)}
    return metrics | {f"{attribute}_{name}": mean for attribute, mean in means.items()}


def stable_order(scores: Tensor, rounding: Tensor) -> Tensor:
    """Return the ranking of candidates by score, the best first; those that only rounding sets apart keep their order.

    Args:
        scores (`torch.Tensor` of shape `(C, G)`): of G candidates, -inf where a candidate is left out.
        rounding (`torch.Tensor` of shape `(C, 1)`): neighbours in the ranking that differ by no more are equal.

    Returns:
        `torch.Tensor` of shape `(C, G)`: int64, places of the candidates by rank.
    """
    falling, order = scores.sort(dim=1, descending=True)
    falls = falling[:, :-1] - falling[:, 1:] > rounding  # -inf after -inf does not fall
    level = pad(falls.cumsum(dim=1), (1, 0))  # (C, G), equal for equal scores
    return order.gather(1, (level * scores.shape[1] + order).argsort(dim=1))


def relevance(query_labels: Tensor, gallery_labels: Tensor) -> Tensor:
    """Return whether a candidate has the query's value.

    Args:
        query_labels (`torch.Tensor` of shape `(Q,)`): integer.
        gallery_labels (`torch.Tensor` of shape `(G,)` or `(G, V)`): integer or bool, as in `average_precisions`.

    Returns:
        `torch.Tensor` of shape `(Q, G)`: bool.
    """
    if gallery_labels.dtype == torch.bool:
        return gallery_labels.T[query_labels]
    return query_labels[:, None] == gallery_labels


def check_search(query_embeds: Tensor, gallery_embeds: Tensor, query_labels: Tensor, gallery_labels: Tensor) -> None:
    """Raise if the embeddings and labels of a search do not fit together.

    Args:
        query_embeds (`torch.Tensor` of shape `(Q, D)`): as in `average_precisions`, like all others.
        gallery_embeds (`torch.Tensor` of shape `(G, D)`): the candidates.
        query_labels (`torch.Tensor` of shape `(Q,)`): the values that are searched for.
        gallery_labels (`torch.Tensor` of shape `(G,)` or `(G, V)`): the values of the candidates.

    Raises:
        ValueError: an argument has another shape, type or range; the message names it.
    """
    if gallery_labels.dtype == torch.bool:
        known = gallery_labels.shape[-1] if gallery_labels.ndim == 2 else 0
        if len(query_labels) and not (query_labels.min() >= 0 and query_labels.max() < known):
            raise ValueError(
                "bool `gallery_labels` must have shape (G, V) with a column for every value of `query_labels`, got "
                f"shape {tuple(gallery_labels.shape)} and values from {query_labels.min().item()} to "
                f"{query_labels.max().item()}"
            )
        gallery_labels = gallery_labels[:, 0].long()
    check_embeddings(query_embeds, gallery_embeds, query_labels, gallery_labels)
