"""Return chance levels: the metrics of a random order, and how far a metric of few queries may be off by luck."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from .ceilings import totals_of_matched
from .ranking import RECALL_KS, check_ks


def recall_chance(query_labels: Tensor, gallery_labels: Tensor, ks: Sequence[int] = RECALL_KS) -> dict[str, float]:
    """Return the expectation of `recall_at_k` under a random order of the gallery, over queries that have a match.

    With R of G items right, a query misses with probability C(G - R, k) / C(G, k).

    Args:
        query_labels (`torch.Tensor` of shape `(Q,)`): integer.
        gallery_labels (`torch.Tensor` of shape `(G,)`): integer; equal labels are matches.
        ks (`Sequence[int]`, *optional*, defaults to `(1, 5, 10)`): cut-offs, each at least 1.

    Returns:
        `dict[str, float]`: `recall_chance@k` for every k.

    Raises:
        ValueError: no query has a match, or a cut-off is below 1.
    """
    check_ks(ks)
    totals, number = totals_of_matched(query_labels, gallery_labels), len(gallery_labels)
    drawn = torch.arange(max(ks))
    others = (number - totals[:, None] - drawn).clamp(min=0)  # (Q, max k): wrong items before each draw
    misses = (others / (number - drawn).clamp(min=1)).cumprod(dim=1)
    return {f"recall_chance@{k}": 1 - misses[:, k - 1].mean().item() for k in ks}


def precision_chance(query_labels: Tensor, gallery_labels: Tensor, ks: Sequence[int] = (10,)) -> dict[str, float]:
    """Return the expectation of `precision_at_k` under a random order of the gallery, over queries that have a match.

    Args:
        query_labels (`torch.Tensor` of shape `(Q,)`): integer.
        gallery_labels (`torch.Tensor` of shape `(G,)`): integer; equal labels are matches.
        ks (`Sequence[int]`, *optional*, defaults to `(10,)`): cut-offs, each at least 1.

    Returns:
        `dict[str, float]`: `precision_chance@k` for every k.

    Raises:
        ValueError: as in `recall_chance`.
    """
    check_ks(ks)
    totals, number = totals_of_matched(query_labels, gallery_labels), len(gallery_labels)
    return {f"precision_chance@{k}": (totals * min(k, number) / number / k).mean().item() for k in ks}


def largest_standard_error(num_queries: int) -> float:
    """Return the standard error of a mean over queries where it is largest: half of them 0 and half of them 1.

    Recall is near to it around 50 %. Two recalls that differ by less than about three of it may differ by luck.

    Args:
        num_queries (`int`): at least 1.
    """
    return 0.5 / math.sqrt(num_queries)
