"""Return recall, precision and MAP of a ranked gallery: tensors in, numbers out.

Conventions shared by every function here:

- a score is the inner product of two embeddings, computed in float64 whatever their type, so that it does not depend
  on the chunk that it is computed in; pass L2-normalised embeddings to rank by cosine;
- `TokenEmbeds` on both sides in place of (N, D) tensors are ranked by token similarity, as FILIP is: every function
  here takes them;
- a query's matches are all gallery items with its integer label; queries without a match are left out of the
  averages and counted;
- items whose scores differ only by the rounding of the embeddings are tied, and a metric is the expectation over a
  random order of tied items. A collapsed model, which gives every item one score, thus gets chance level, and a model
  that cannot tell duplicates apart gets exactly the ceiling of `hf_fashion.metrics.ceilings`;
- metrics are fractions from 0 to 1;
- the score matrix is never held whole: a chunk of queries at a time is compared with the gallery.
"""

from collections.abc import Callable, Iterator, Sequence

import torch
from torch import Tensor

from .token_similarity import TokenEmbeds


RECALL_KS = (1, 5, 10)
# A chunk's score matrix holds this many entries at most, 16 MiB in float64, unless the caller sets its size.
MAX_CHUNK_SCORES = 2**21
# Scores closer than this many rounding units of their largest possible value count as tied, units of the type that the
# embeddings have: a model gives one photo slightly different embeddings at different places of a batch.
TIE_ROUNDING_UNITS = 4


def recall_at_k(
    query_embeds: Tensor,
    gallery_embeds: Tensor,
    query_labels: Tensor,
    gallery_labels: Tensor,
    ks: Sequence[int] = RECALL_KS,
    chunk_size: int | None = None,
) -> dict[str, float]:
    """Return recall@k: the share of queries with a match among their k best items (hit-recall, as in CLIP retrieval).

    Args:
        query_embeds (`torch.Tensor` of shape `(Q, D)` or [`TokenEmbeds`]): floating; L2-normalised for cosine.
        gallery_embeds (`torch.Tensor` of shape `(G, D)`): floating, on the same device.
        query_labels (`torch.Tensor` of shape `(Q,)`): integer.
        gallery_labels (`torch.Tensor` of shape `(G,)`): integer; equal labels are matches.
        ks (`Sequence[int]`, *optional*, defaults to `(1, 5, 10)`): cut-offs, each at least 1.
        chunk_size (`int`, *optional*): queries compared at a time. Default: as many as keep a chunk within
            `MAX_CHUNK_SCORES` scores.

    Returns:
        `dict[str, float]`: `recall@k` in [0, 1] for every k, `num_queries` that were averaged and `num_without_match`
        that were left out.

    Raises:
        ValueError: shapes, types or ks are not as above, embeddings are not finite, or no query has a match.
    """
    hits, matched = _per_query(
        expected_hits, query_embeds, gallery_embeds, query_labels, gallery_labels, ks, chunk_size
    )
    return _averages("recall", hits[matched], ks, matched)


def relevant_recall_at_k(
    query_embeds: Tensor,
    gallery_embeds: Tensor,
    query_labels: Tensor,
    gallery_labels: Tensor,
    ks: Sequence[int] = RECALL_KS,
    chunk_size: int | None = None,
) -> dict[str, float]:
    """Return relevant recall@k: the share of a query's matches among its k best gallery items, averaged.

    This is the recall of information retrieval and of Marqo's leaderboard. Its ceiling is low where queries have
    many matches: see `relevant_recall_ceiling`.

    Args:
        query_embeds (`torch.Tensor` of shape `(Q, D)` or [`TokenEmbeds`]): floating; L2-normalised for cosine.
        gallery_embeds (`torch.Tensor` of shape `(G, D)`): floating, on the same device.
        query_labels (`torch.Tensor` of shape `(Q,)`): integer.
        gallery_labels (`torch.Tensor` of shape `(G,)`): integer; equal labels are matches.
        ks (`Sequence[int]`, *optional*, defaults to `(1, 5, 10)`): cut-offs, each at least 1.
        chunk_size (`int`, *optional*): as in `recall_at_k`.

    Returns:
        `dict[str, float]`: `relevant_recall@k` for every k, and the counts of `recall_at_k`.

    Raises:
        ValueError: as in `recall_at_k`.
    """
    found, matched = _per_query(
        _expected_relevant, query_embeds, gallery_embeds, query_labels, gallery_labels, ks, chunk_size
    )
    totals = matches_per_query(query_labels, gallery_labels)[matched, None].to(found)
    return _averages("relevant_recall", found[matched] / totals, ks, matched)


def precision_at_k(
    query_embeds: Tensor,
    gallery_embeds: Tensor,
    query_labels: Tensor,
    gallery_labels: Tensor,
    ks: Sequence[int] = (10,),
    chunk_size: int | None = None,
) -> dict[str, float]:
    """Return precision@k: the share of the k best gallery items that are matches, averaged over queries.

    Its ceiling is min(k, matches) / k; a gallery of fewer than k items counts as k.

    Args:
        query_embeds (`torch.Tensor` of shape `(Q, D)` or [`TokenEmbeds`]): floating; L2-normalised for cosine.
        gallery_embeds (`torch.Tensor` of shape `(G, D)`): floating, on the same device.
        query_labels (`torch.Tensor` of shape `(Q,)`): integer.
        gallery_labels (`torch.Tensor` of shape `(G,)`): integer; equal labels are matches.
        ks (`Sequence[int]`, *optional*, defaults to `(10,)`): cut-offs, each at least 1.
        chunk_size (`int`, *optional*): as in `recall_at_k`.

    Returns:
        `dict[str, float]`: `precision@k` for every k, and the counts of `recall_at_k`.

    Raises:
        ValueError: as in `recall_at_k`.
    """
    found, matched = _per_query(
        _expected_relevant, query_embeds, gallery_embeds, query_labels, gallery_labels, ks, chunk_size
    )
    return _averages("precision", found[matched] / found.new_tensor(ks), ks, matched)


def mean_average_precision(
    query_embeds: Tensor,
    gallery_embeds: Tensor,
    query_labels: Tensor,
    gallery_labels: Tensor,
    chunk_size: int | None = None,
) -> dict[str, float]:
    """Return MAP, the mean over queries of AP = mean over the query's matches of (matches up to it) / (its rank).

    Unlike the other metrics AP breaks ties pessimistically: of tied items the matches come last.

    Args:
        query_embeds (`torch.Tensor` of shape `(Q, D)` or [`TokenEmbeds`]): floating; L2-normalised for cosine.
        gallery_embeds (`torch.Tensor` of shape `(G, D)`): floating, on the same device.
        query_labels (`torch.Tensor` of shape `(Q,)`): integer.
        gallery_labels (`torch.Tensor` of shape `(G,)`): integer; equal labels are matches.
        chunk_size (`int`, *optional*): as in `recall_at_k`.

    Returns:
        `dict[str, float]`: `map`, and the counts of `recall_at_k`.

    Raises:
        ValueError: as in `recall_at_k`.
    """
    precisions, matched = _per_query(
        _average_precision, query_embeds, gallery_embeds, query_labels, gallery_labels, (1,), chunk_size
    )
    return {"map": precisions[matched].mean().item(), **_counts(matched)}


def matches_per_query(query_labels: Tensor, gallery_labels: Tensor) -> Tensor:
    """Return the number of gallery items with each query's label: int64 (Q,).

    Args:
        query_labels (`torch.Tensor` of shape `(Q,)`): integer.
        gallery_labels (`torch.Tensor` of shape `(G,)`): integer.
    """
    ordered = gallery_labels.sort().values
    query_labels = query_labels.to(ordered).contiguous()  # published lists come as columns of a table
    return torch.searchsorted(ordered, query_labels, right=True) - torch.searchsorted(ordered, query_labels)


def check_embeddings(
    query_embeds: Tensor, gallery_embeds: Tensor, query_labels: Tensor, gallery_labels: Tensor
) -> None:
    """Raise if embeddings are not finite (N, D) with one integer label a row.

    Args:
        query_embeds (`torch.Tensor` of shape `(Q, D)`): floating.
        gallery_embeds (`torch.Tensor` of shape `(G, D)`): floating.
        query_labels (`torch.Tensor` of shape `(Q,)`): integer.
        gallery_labels (`torch.Tensor` of shape `(G,)`): integer.

    Raises:
        ValueError: an argument is not as above; the message names it.
    """
    if isinstance(query_embeds, TokenEmbeds) != isinstance(gallery_embeds, TokenEmbeds):
        raise ValueError("`query_embeds` and `gallery_embeds` must both be `TokenEmbeds`, or both tensors (N, D)")
    if isinstance(query_embeds, TokenEmbeds):
        query_embeds, gallery_embeds = query_embeds.mean(), gallery_embeds.mean()  # finite if all tokens are
    sides = (("query", query_embeds, query_labels), ("gallery", gallery_embeds, gallery_labels))
    for side, embeds, labels in sides:
        if embeds.ndim != 2 or not embeds.is_floating_point():
            raise ValueError(
                f"`{side}_embeds` must be floating with shape (N, D), got {embeds.dtype} {tuple(embeds.shape)}"
            )
        if labels.shape != embeds.shape[:1] or labels.is_floating_point() or labels.dtype == torch.bool:
            raise ValueError(
                f"`{side}_labels` must be integers with shape ({len(embeds)},), one for each row of `{side}_embeds`, "
                f"got {labels.dtype} {tuple(labels.shape)}"
            )
        if not embeds.isfinite().all():
            rows = (~embeds.isfinite().all(dim=1)).nonzero().flatten().tolist()
            raise ValueError(f"`{side}_embeds` must be finite, rows {rows[:5]} ({len(rows)} in all) are not")
    if query_embeds.shape[1] != gallery_embeds.shape[1]:
        raise ValueError(
            f"`query_embeds` and `gallery_embeds` must have one width, got {query_embeds.shape[1]} and "
            f"{gallery_embeds.shape[1]}"
        )


def check_ks(ks: Sequence[int]) -> None:
    """Raise if there is no cut-off, or one is below 1.

    Args:
        ks (`Sequence[int]`): cut-offs.

    Raises:
        ValueError: the cut-offs are not as above.
    """
    if not ks or min(ks) < 1:
        raise ValueError(f"`ks` must hold cut-offs of at least 1, got {tuple(ks)}")


def score_chunks(
    query_embeds: Tensor, gallery_embeds: Tensor, chunk_size: int | None, tie_units: float = TIE_ROUNDING_UNITS
) -> Iterator[tuple[slice, Tensor, Tensor]]:
    """Yield (rows of the queries, scores (C, G), tie tolerance (C, 1)) for one chunk of queries after another.

    Args:
        query_embeds (`torch.Tensor` of shape `(Q, D)`): floating.
        gallery_embeds (`torch.Tensor` of shape `(G, D)`): floating.
        chunk_size (`int`, *optional*): queries in a chunk. Default: as many as keep it within `MAX_CHUNK_SCORES`.
        tie_units (`float`, *optional*, defaults to 4): rounding units of the embeddings' type, float32 at the least,
            by which tied scores may differ. With 0 only scores that the rounding of float64 sets apart are tied.

    Raises:
        ValueError: `chunk_size` is below 1.
    """
    if chunk_size is None:
        chunk_size = max(1, MAX_CHUNK_SCORES // max(1, len(gallery_embeds)))
    if chunk_size < 1:
        raise ValueError(f"`chunk_size` must be at least 1, got {chunk_size}")
    if isinstance(query_embeds, TokenEmbeds):
        yield from _token_score_chunks(query_embeds, gallery_embeds, chunk_size, tie_units)
        return
    given = torch.promote_types(query_embeds.dtype, torch.float32)
    query_embeds, gallery_embeds = query_embeds.double(), gallery_embeds.double()
    # Two float64 products of vectors of width D differ from the true ones, together, by less than D units.
    own = query_embeds.shape[1] * torch.finfo(torch.float64).eps
    unit = max(tie_units * torch.finfo(given).eps, own)
    largest = gallery_embeds.norm(dim=1).max() if len(gallery_embeds) else 0.0
    for start in range(0, len(query_embeds), chunk_size):
        chunk = query_embeds[start : start + chunk_size]  # (C, D)
        tolerance = unit * largest * chunk.norm(dim=1, keepdim=True)  # (C, 1)
        yield slice(start, start + len(chunk)), chunk @ gallery_embeds.T, tolerance


def _token_score_chunks(
    query_embeds: TokenEmbeds, gallery_embeds: TokenEmbeds, chunk_size: int, tie_units: float
) -> Iterator[tuple[slice, Tensor, Tensor]]:
    unit = tie_units * torch.finfo(torch.promote_types(query_embeds.embeds.dtype, torch.float32)).eps
    for start in range(0, len(query_embeds), chunk_size):
        scores = query_embeds[start : start + chunk_size].scores(gallery_embeds).double()  # (C, G)
        yield slice(start, start + len(scores)), scores, torch.full_like(scores[:, :1], unit)


def expected_hits(scores: Tensor, matches: Tensor, tolerance: Tensor, ks: Sequence[int]) -> Tensor:
    """Return the probability that a match is among the k best, with tied items in random order.

    With b items better than the best match, and p matches and t others tied with it, s = k - b places are left for
    these and P(hit) = 1 - C(t, s) / C(t + p, s).

    Args:
        scores (`torch.Tensor` of shape `(C, G)`): floating.
        matches (`torch.Tensor` of shape `(C, G)`): bool, at least one in a row.
        tolerance (`torch.Tensor` of shape `(C, 1)`): scores that differ by no more are tied.
        ks (`Sequence[int]`): cut-offs, each at least 1.

    Returns:
        `torch.Tensor` of shape `(C, len(ks))`: float64.
    """
    match_scores = torch.where(matches, scores, -torch.inf)
    best = match_scores.amax(dim=1, keepdim=True)  # (C, 1)
    better = (scores > best + tolerance).count_nonzero(dim=1)  # a match is never better than the best match
    tied = (scores >= best - tolerance).count_nonzero(dim=1) - better
    tied_matches = (match_scores >= best - tolerance).count_nonzero(dim=1)
    drawn = torch.arange(max(ks), device=scores.device)
    others_left = ((tied - tied_matches)[:, None] - drawn).clamp(min=0)  # (C, max k)
    all_left = (tied[:, None] - drawn).clamp(min=1)
    misses = torch.cumprod(others_left.double() / all_left, dim=1)
    misses = torch.cat([misses.new_ones(len(misses), 1), misses], dim=1)  # (C, 1 + max k), [:, s] after s places
    places = torch.stack([(k - better).clamp(min=0) for k in ks], dim=1)  # (C, len(ks))
    return 1 - misses.gather(1, places)


def _expected_relevant(scores: Tensor, matches: Tensor, tolerance: Tensor, ks: Sequence[int]) -> Tensor:
    """Expected matches among the k best: those above the k-th score and a fair share of those tied with it."""
    best = scores.topk(min(max(ks), scores.shape[1]), dim=1).values
    counts = []
    for k in ks:
        threshold = best[:, min(k, scores.shape[1]) - 1, None]  # (C, 1)
        above, at_least = scores > threshold + tolerance, scores >= threshold - tolerance
        found_above, num_above = (above & matches).sum(dim=1), above.sum(dim=1)
        tied_matches, num_tied = (at_least & matches).sum(dim=1) - found_above, at_least.sum(dim=1) - num_above
        share = ((k - num_above).double() / num_tied).clamp(max=1)
        counts.append(found_above + tied_matches * share)
    return torch.stack(counts, dim=1)


def _average_precision(scores: Tensor, matches: Tensor, tolerance: Tensor, ks: Sequence[int]) -> Tensor:
    matches_last = matches.int().argsort(dim=1, stable=True)  # decides where scores are equal, as of zero embeddings
    lowered = (scores - tolerance * matches).gather(1, matches_last)
    order = matches_last.gather(1, lowered.argsort(dim=1, descending=True, stable=True))
    sorted_matches = matches.gather(1, order).double()
    ranks = torch.arange(1, scores.shape[1] + 1, device=scores.device)
    precisions = sorted_matches.cumsum(dim=1) / ranks * sorted_matches
    return precisions.sum(dim=1, keepdim=True) / matches.sum(dim=1, keepdim=True)


def _per_query(
    measure: Callable[..., Tensor],
    query_embeds: Tensor,
    gallery_embeds: Tensor,
    query_labels: Tensor,
    gallery_labels: Tensor,
    ks: Sequence[int],
    chunk_size: int | None,
) -> tuple[Tensor, Tensor]:
    """Measures every query with a match, chunk by chunk: float64 (Q, len(ks)) with nan elsewhere, and bool (Q,)."""
    check_embeddings(query_embeds, gallery_embeds, query_labels, gallery_labels)
    check_ks(ks)
    matched = matches_per_query(query_labels, gallery_labels) > 0
    if not matched.any():
        raise ValueError(
            f"no label of the {len(query_labels)} `query_labels` is among the {len(gallery_labels)} `gallery_labels`: "
            "there is nothing to find"
        )
    rows = matched.nonzero().flatten()
    measured = torch.full((len(query_labels), len(ks)), torch.nan, dtype=torch.float64, device=query_labels.device)
    for chunk, scores, tolerance in score_chunks(query_embeds[rows], gallery_embeds, chunk_size):
        matches = query_labels[rows[chunk], None] == gallery_labels  # (C, G)
        measured[rows[chunk]] = measure(scores, matches, tolerance, ks)
    return measured, matched


def _averages(name: str, values: Tensor, ks: Sequence[int], matched: Tensor) -> dict[str, float]:
    means = values.mean(dim=0).tolist()
    return {f"{name}@{k}": mean for k, mean in zip(ks, means, strict=True)} | _counts(matched)


def _counts(matched: Tensor) -> dict[str, float]:
    num_matched = int(matched.sum())
    return {"num_queries": num_matched, "num_without_match": len(matched) - num_matched}
