"""Find labels that a model does not believe, by confident learning."""

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class LabelIssue:
    """
    A label that is probably wrong.

    Args:
        place (`int`): number of the item.
        value (`int`): its label.
        seen (`int`): the label that a model takes for right.
        strength (`float`): how much more probable that is than the given one, from 0 to 1.
    """

    place: int
    value: int
    seen: int
    strength: float


def find_label_issues(probabilities: Tensor, labels: Tensor) -> list[LabelIssue]:
    """Return the labels that are probably wrong, the worst first.

    As in confident learning (C. Northcutt, L. Jiang, I. Chuang, "Confident learning: estimating uncertainty in
    dataset labels", 2021), the threshold of a label is the mean probability that the items which carry it have of it:
    low where the model does not know the label, and high where it overrates it. An item is an issue where another
    label is further above its threshold than the item's own, and more probable. Labels that no item carries are not
    proposed.

    Args:
        probabilities (`torch.Tensor` of shape `(N, V)`): of each label, in each row a sum of 1.
        labels (`torch.Tensor` of shape `(N,)`): int64; the given ones.
    """
    own = probabilities.gather(1, labels[:, None]).squeeze(1)  # (N,)
    counts = labels.bincount(minlength=probabilities.shape[1])
    thresholds = torch.zeros(len(counts), dtype=own.dtype).index_add_(0, labels, own) / counts  # nan: no item has it
    seen = (probabilities - thresholds).nan_to_num(-torch.inf).argmax(dim=1)
    strength = probabilities.gather(1, seen[:, None]).squeeze(1) - own
    places = ((seen != labels) & (strength > 0)).nonzero().flatten()
    places = places[strength[places].argsort(descending=True, stable=True)]
    return [
        LabelIssue(place, int(labels[place]), int(seen[place]), round(strength[place].item(), 4))
        for place in places.tolist()
    ]


def neighbour_probabilities(embeds: Tensor, labels: Tensor, num_labels: int, k: int = 10) -> Tensor:
    """Return the share of each label among the k nearest other items: float32 (N, V).

    Args:
        embeds (`torch.Tensor` of shape `(N, D)`): L2-normalised; N at least 2.
        labels (`torch.Tensor` of shape `(N,)`): int64.
        num_labels (`int`): V.
        k (`int`, *optional*, defaults to 10): neighbours, or all others where there are fewer.
    """
    k = min(k, len(embeds) - 1)
    shares = torch.zeros(len(embeds), num_labels)
    step = max(1, 2**23 // len(embeds))
    for start in range(0, len(embeds), step):
        scores = embeds[start : start + step] @ embeds.T  # (C, N)
        here = torch.arange(len(scores))
        scores[here, here + start] = -torch.inf
        found = labels[scores.topk(k, dim=1).indices]  # (C, k)
        shares[start : start + step].scatter_add_(1, found, torch.full(found.shape, 1 / k))
    return shares
