"""Triplets among the rows of a batch."""

import torch


def batch_triplets(
    attribute_ids: torch.Tensor,
    value_ids: torch.Tensor,
    limit: int | None = None,
    generator: torch.Generator | None = None,
) -> torch.Tensor:
    """Return all (anchor, positive, negative) of a batch: one attribute, and only the negative has another value.

    Args:
        attribute_ids (`torch.Tensor` of shape `(N,)`): long; the attribute of each item, or any number that is equal
            for items that may share a triplet. (In a multi-label corpus those are the items of one group.)
        value_ids (`torch.Tensor` of shape `(N,)`): long; its value; -1 = unlabelled, in no triplet.
        limit (`int`, *optional*): at least 1. If there are more triplets, the list of all of them is cut into
            `limit` runs of equal length, and one is drawn from each: no triplet twice, a fair share for each anchor.
        generator (`torch.Generator`, *optional*): on the CPU; with the same seed, all processes draw the same.

    Returns:
        `torch.Tensor` of shape `(T, 3)`: long rows of anchor, positive, negative, in ascending order.

    Raises:
        ValueError: if `limit` is below 1.
    """
    if limit is not None and limit < 1:
        raise ValueError(f"`limit` must be at least 1, or None for all triplets, got {limit}.")
    known = value_ids >= 0
    same_attribute = (attribute_ids[:, None] == attribute_ids) & known[:, None] & known
    same_value = value_ids[:, None] == value_ids
    anchors, positives = (same_attribute & same_value).fill_diagonal_(False).nonzero(as_tuple=True)  # (pairs,) each
    negatives = same_attribute & ~same_value  # (N, N)

    # Triplets are numbered pair by pair, so that a few can be drawn without listing all.
    ends = negatives.sum(-1)[anchors].cumsum(0)
    total = int(ends[-1]) if len(ends) else 0
    numbers = _numbers(total, limit, generator).to(attribute_ids.device)
    pairs = torch.searchsorted(ends, numbers, right=True)
    starts = torch.cat([ends.new_zeros(1), ends])[pairs]
    negatives_first = (~negatives).to(torch.uint8).argsort(dim=-1, stable=True)
    negative = negatives_first[anchors[pairs], numbers - starts]
    return torch.stack([anchors[pairs], positives[pairs], negative], dim=-1)


def _numbers(total: int, limit: int | None, generator: torch.Generator | None) -> torch.Tensor:
    if limit is None or total <= limit:
        return torch.arange(total)
    bounds = torch.arange(limit + 1) * total // limit
    shares = torch.rand(limit, dtype=torch.float64, generator=generator)
    return bounds[:-1] + (shares * bounds.diff()).long()


def view_triplets(triplets: torch.Tensor, view_items: torch.Tensor, num_items: int) -> torch.Tensor:
    """Return the triplets of a batch and those that extra views x' of an anchor x add: (x', p, n) and (x, x', n).

    With two views of each anchor these are the five of RPF and IPAD: (x, p, n), (x1, p, n), (x2, p, n), (x, x1, n) and
    (x, x2, n), and the mean over all rows is the mean over the five.

    Args:
        triplets (`torch.Tensor` of shape `(T, 3)`): long; rows of items.
        view_items (`torch.Tensor` of shape `(M,)`): long; the item that each view shows. An item may have any
            number of views.
        num_items (`int`): N; view m is row `N + m` of the batch.

    Returns:
        `torch.Tensor` of shape `(T + 2 * pairs of a triplet and a view of its anchor, 3)`: long, `triplets` first.
    """
    rows, views = (triplets[:, :1] == view_items).nonzero(as_tuple=True)
    anchor, positive, negative = triplets[rows].unbind(-1)
    views = views + num_items
    as_anchor = torch.stack([views, positive, negative], dim=-1)
    as_positive = torch.stack([anchor, views, negative], dim=-1)
    return torch.cat([triplets, as_anchor, as_positive])
