"""Return ceilings: the metrics of a perfect model on given data, to print next to every recall.

A model maps equal inputs to equal embeddings. Where a catalogue holds a title or a photo several times, no model can
tell the copies apart, and a protocol where only one of them is right caps every model below 1. The functions take
labels (equal labels are matches) and inputs (equal integers are indistinguishable inputs, for example an id for each
distinct title or photo).
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from .ranking import RECALL_KS, check_ks, matches_per_query


def recall_ceiling(
    query_labels: Tensor,
    gallery_labels: Tensor,
    ks: Sequence[int] = RECALL_KS,
    query_inputs: Tensor | None = None,
    gallery_inputs: Tensor | None = None,
) -> dict[str, float]:
    """Return the highest `recall_at_k` that a model can reach, given which inputs it cannot tell apart.

    Two cases, both over queries that have a match:

    - every query has exactly one match (pairs). Queries with equal inputs get one ranking, gallery items with equal
      inputs one score, so their order is chance. Let w be the number of the group's queries that find their match
      among the s copies of a gallery input: a place of the top k spent there is worth w / s. The best ranking
      takes gallery inputs by falling w / s until k places are spent. A title that d distinct photos share thus
      gives min(1, k / d) in both directions. The value is exact;
    - a query may have several matches. Then one match is enough, and the only obstacle is equal queries with
      different labels, of which the k most frequent can be served. The value is exact where gallery inputs all
      differ; where they do not, copies may take up places, and the value is an upper bound.

    Args:
        query_labels (`torch.Tensor` of shape `(Q,)`): integer.
        gallery_labels (`torch.Tensor` of shape `(G,)`): integer; equal labels are matches.
        ks (`Sequence[int]`, *optional*, defaults to `(1, 5, 10)`): cut-offs, each at least 1.
        query_inputs (`torch.Tensor` of shape `(Q,)`, *optional*): integer; equal for inputs that a model cannot tell
            apart. Default: all differ.
        gallery_inputs (`torch.Tensor` of shape `(G,)`, *optional*): the same for the gallery.

    Returns:
        `dict[str, float]`: `recall_ceiling@k` in [0, 1] for every k.

    Raises:
        ValueError: no query has a match, a cut-off is below 1, or inputs and labels differ in length.
    """
    check_ks(ks)
    query_inputs = inputs_or_all_different("query", query_inputs, query_labels)
    gallery_inputs = inputs_or_all_different("gallery", gallery_inputs, gallery_labels)
    totals = totals_of_matched(query_labels, gallery_labels)
    matched = torch.isin(query_labels, gallery_labels)
    query_labels, query_inputs = query_labels[matched], query_inputs[matched]
    if (totals == 1).all():
        values = _pair_ceilings(query_inputs, _input_of_match(query_labels, gallery_labels, gallery_inputs), ks)
    else:
        values = _label_ceilings(query_inputs, query_labels, ks)
    return {f"recall_ceiling@{k}": value for k, value in zip(ks, values, strict=True)}


def relevant_recall_ceiling(
    query_labels: Tensor, gallery_labels: Tensor, ks: Sequence[int] = RECALL_KS
) -> dict[str, float]:
    """Return the highest `relevant_recall_at_k`: the mean over queries of min(k, R) / R with R matches of a query.

    Args:
        query_labels (`torch.Tensor` of shape `(Q,)`): integer.
        gallery_labels (`torch.Tensor` of shape `(G,)`): integer; equal labels are matches.
        ks (`Sequence[int]`, *optional*, defaults to `(1, 5, 10)`): cut-offs, each at least 1.

    Returns:
        `dict[str, float]`: `relevant_recall_ceiling@k` for every k.

    Raises:
        ValueError: as in `recall_ceiling`.
    """
    check_ks(ks)
    totals = totals_of_matched(query_labels, gallery_labels)
    return {f"relevant_recall_ceiling@{k}": (totals.clamp(max=k) / totals).mean().item() for k in ks}


def precision_ceiling(query_labels: Tensor, gallery_labels: Tensor, ks: Sequence[int] = (10,)) -> dict[str, float]:
    """Return the highest `precision_at_k`: the mean over queries of min(k, R) / k with R matches of a query.

    Args:
        query_labels (`torch.Tensor` of shape `(Q,)`): integer.
        gallery_labels (`torch.Tensor` of shape `(G,)`): integer; equal labels are matches.
        ks (`Sequence[int]`, *optional*, defaults to `(10,)`): cut-offs, each at least 1.

    Returns:
        `dict[str, float]`: `precision_ceiling@k` for every k.

    Raises:
        ValueError: as in `recall_ceiling`.
    """
    check_ks(ks)
    totals = totals_of_matched(query_labels, gallery_labels)
    return {f"precision_ceiling@{k}": (totals.clamp(max=k) / k).mean().item() for k in ks}


def inputs_or_all_different(side: str, inputs: Tensor | None, labels: Tensor) -> Tensor:
    """Return the inputs of a side, by default all different: integer (N,).

    Args:
        side (`str`): `"query"` or `"gallery"`, for the error.
        inputs (`torch.Tensor` of shape `(N,)`, *optional*): integer.
        labels (`torch.Tensor` of shape `(N,)`): integer.

    Raises:
        ValueError: inputs and labels differ in shape.
    """
    if inputs is None:
        return torch.arange(len(labels), device=labels.device)
    if inputs.shape != labels.shape:
        raise ValueError(
            f"`{side}_inputs` must have the shape of `{side}_labels`, {tuple(labels.shape)}, got {tuple(inputs.shape)}"
        )
    return inputs


def match_worth(
    chunk: slice, query_inputs: Tensor, gallery_inputs: Tensor, query_labels: Tensor, gallery_labels: Tensor
) -> Tensor:
    """Return the scores of a model that knows the labels of all queries, but gives equal inputs equal scores.

    A gallery item is worth to a query the number of its equals (queries of the same input, itself among them) that
    match it, averaged over the copies of the item. Of pairs, ranking by worth reaches `recall_ceiling`, which takes
    gallery inputs in the same order.

    Args:
        chunk (`slice`): the C queries to score.
        query_inputs (`torch.Tensor` of shape `(Q,)`): integer; equal for inputs that a model cannot tell apart.
        gallery_inputs (`torch.Tensor` of shape `(G,)`): the same for the gallery.
        query_labels (`torch.Tensor` of shape `(Q,)`): integer.
        gallery_labels (`torch.Tensor` of shape `(G,)`): integer; equal labels are matches.

    Returns:
        `torch.Tensor` of shape `(C, G)`: float32; above 0 for the query's own matches.
    """
    labels = torch.cat([query_labels, gallery_labels]).unique(return_inverse=True)[1]  # numbered from 0
    query_labels, gallery_labels = labels[: len(query_labels)], labels[len(query_labels) :]
    equals = (query_inputs[chunk, None] == query_inputs).float()  # (C, Q)
    equals_of_label = equals.new_zeros(len(equals), int(labels.max()) + 1).index_add_(1, query_labels, equals)
    _, copies, counts = gallery_inputs.unique(return_inverse=True, return_counts=True)
    of_input = equals.new_zeros(len(equals), len(counts))
    of_input.index_add_(1, copies, equals_of_label[:, gallery_labels])
    return (of_input / counts)[:, copies]


def totals_of_matched(query_labels: Tensor, gallery_labels: Tensor) -> Tensor:
    """Return the number of matches of every query that has any: float64 (Q',).

    Args:
        query_labels (`torch.Tensor` of shape `(Q,)`): integer.
        gallery_labels (`torch.Tensor` of shape `(G,)`): integer; equal labels are matches.

    Raises:
        ValueError: no query has a match.
    """
    totals = matches_per_query(query_labels, gallery_labels)
    if not totals.any():
        raise ValueError("no label of `query_labels` is among `gallery_labels`: there is nothing to find")
    return totals[totals > 0].double()


def _input_of_match(query_labels: Tensor, gallery_labels: Tensor, gallery_inputs: Tensor) -> Tensor:
    """For each query its only match's (input, number of gallery items with that input): int64 (Q, 2)."""
    _, inverse, counts = gallery_inputs.unique(return_inverse=True, return_counts=True)
    labels, order = gallery_labels.sort()
    match = order[torch.searchsorted(labels, query_labels)]  # (Q,)
    return torch.stack([inverse[match], counts[inverse[match]]], dim=1)


def _pair_ceilings(query_inputs: Tensor, matches: Tensor, ks: Sequence[int]) -> list[float]:
    """Fractional knapsack a group of equal queries: gallery inputs by falling worth of a place, k places each."""
    blocks, worth = torch.cat([query_inputs[:, None], matches], dim=1).unique(dim=0, return_counts=True)
    group, size = blocks[:, 0], blocks[:, 2]
    order = (worth / size).argsort(descending=True)
    order = order[group[order].argsort(stable=True)]  # by group, then by falling worth of a place
    size, worth = size[order], worth[order].double()
    places_before = _cumulative_within(group[order], size)
    return [
        ((k - places_before).clamp(min=0).minimum(size) / size * worth).sum().item() / len(query_inputs) for k in ks
    ]


def _label_ceilings(query_inputs: Tensor, query_labels: Tensor, ks: Sequence[int]) -> list[float]:
    """A group of equal queries has its k most frequent labels served."""
    blocks, worth = torch.stack([query_inputs, query_labels], dim=1).unique(dim=0, return_counts=True)
    order = worth.argsort(descending=True)
    order = order[blocks[order, 0].argsort(stable=True)]
    rank = _cumulative_within(blocks[order, 0], torch.ones_like(worth))
    return [worth[order][rank < k].sum().item() / len(query_inputs) for k in ks]


def _cumulative_within(groups: Tensor, values: Tensor) -> Tensor:
    """Sum of the values before each one in its group; groups are contiguous: (N,), (N,) -> (N,)."""
    before = values.cumsum(dim=0) - values
    _, inverse, counts = groups.unique_consecutive(return_inverse=True, return_counts=True)
    starts = counts.cumsum(dim=0) - counts
    return before - before[starts][inverse]
