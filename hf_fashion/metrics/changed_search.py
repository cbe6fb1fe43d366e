"""Return recall of searches by a photo and a change, and the shares of results that changed and kept values."""

from collections.abc import Sequence

import torch
from torch import Tensor


RECALL_KS = (10, 50)
FIRST = 10


def change_recall(scores: Tensor, targets: Tensor, ks: Sequence[int] = RECALL_KS) -> dict[str, float]:
    """Return recall@k: the share of queries with a target among their k best candidates. Of equal scores, targets
    come last.

    Args:
        scores (`torch.Tensor` of shape `(Q, G)`): floating; -inf for candidates that are not searched.
        targets (`torch.Tensor` of shape `(Q, G)`): bool, at least one in a row.
        ks (`Sequence[int]`, *optional*, defaults to `(10, 50)`): cut-offs, each at least 1.

    Raises:
        ValueError: the shapes differ, there is no query, or a query has no target.
    """
    _check(scores, targets)
    best = scores.masked_fill(~targets, -torch.inf).amax(dim=1, keepdim=True)  # (Q, 1)
    before = (~targets & (scores >= best)).sum(dim=1)
    return {f"recall@{k}": (before < k).double().mean().item() for k in ks}


def first_share(scores: Tensor, right: Tensor, number: int = FIRST) -> float:
    """Return the share of the first candidates that are right, averaged over queries; of equal scores, the first
    column comes first.

    Args:
        scores (`torch.Tensor` of shape `(Q, G)`): floating; -inf for candidates that are not searched.
        right (`torch.Tensor` of shape `(Q, G)`): bool.
        number (`int`, *optional*, defaults to 10): candidates of a query; all, where there are fewer.

    Raises:
        ValueError: the shapes differ, or there is no query.
    """
    if scores.shape != right.shape or not len(scores):
        raise ValueError(f"`scores` and `right` must have one shape (Q, G), got {scores.shape} and {right.shape}")
    order = scores.argsort(dim=1, descending=True, stable=True)[:, :number]
    searched = scores.gather(1, order) > -torch.inf
    return ((right.gather(1, order) & searched).sum(dim=1) / searched.sum(dim=1)).double().mean().item()


def _check(scores: Tensor, targets: Tensor) -> None:
    if scores.shape != targets.shape or not len(scores):
        raise ValueError(f"`scores` and `targets` must have one shape (Q, G), got {scores.shape} and {targets.shape}")
    if not (targets & (scores > -torch.inf)).any(dim=1).all():
        raise ValueError("`targets` must have a candidate that is searched in every row")
