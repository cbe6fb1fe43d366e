"""Return recall in both directions (image to text, text to image), by the full and the sample-100 protocol."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from .ceilings import inputs_or_all_different, match_worth, recall_ceiling
from .ranking import (
    RECALL_KS,
    check_embeddings,
    check_ks,
    expected_hits,
    matches_per_query,
    recall_at_k,
    score_chunks,
)


def cross_modal_recall(
    image_embeds: Tensor,
    text_embeds: Tensor,
    image_labels: Tensor,
    text_labels: Tensor,
    image_inputs: Tensor | None = None,
    text_inputs: Tensor | None = None,
    ks: Sequence[int] = RECALL_KS,
    chunk_size: int | None = None,
) -> dict[str, float]:
    """Return recall@k in both directions among all candidates, the ceilings, and the sums (SumR).

    Args:
        image_embeds (`torch.Tensor` of shape `(I, D)`): floating; L2-normalised for cosine.
        text_embeds (`torch.Tensor` of shape `(T, D)`): floating; L2-normalised for cosine.
        image_labels (`torch.Tensor` of shape `(I,)`): integer.
        text_labels (`torch.Tensor` of shape `(T,)`): integer; equal labels are matches.
        image_inputs (`torch.Tensor` of shape `(I,)`, *optional*): integer; equal where photos are identical, see
            `recall_ceiling`. Default: all differ.
        text_inputs (`torch.Tensor` of shape `(T,)`, *optional*): integer; equal where texts are identical.
        ks (`Sequence[int]`, *optional*, defaults to `(1, 5, 10)`): cut-offs, each at least 1.
        chunk_size (`int`, *optional*): as in `recall_at_k`.

    Returns:
        `dict[str, float]`: `{direction}_recall@k`, `{direction}_recall_ceiling@k`, `{direction}_num_queries` and
        `{direction}_num_without_match` with direction `image_to_text` and `text_to_image`; `sum_recall` and
        `sum_recall_ceiling`, from 0 to 2 * len(ks).

    Raises:
        ValueError: as in `recall_at_k` and `recall_ceiling`.
    """

    def measure(query, gallery):
        metrics = recall_at_k(query[0], gallery[0], query[1], gallery[1], ks, chunk_size)
        return metrics | recall_ceiling(query[1], gallery[1], ks, query[2], gallery[2])

    return _both_ways((image_embeds, image_labels, image_inputs), (text_embeds, text_labels, text_inputs), measure)


def sample_recall(
    query_embeds: Tensor,
    gallery_embeds: Tensor,
    query_labels: Tensor,
    gallery_labels: Tensor,
    gallery_groups: Tensor,
    query_inputs: Tensor | None = None,
    gallery_inputs: Tensor | None = None,
    num_negatives: int = 100,
    seed: int = 0,
    ks: Sequence[int] = RECALL_KS,
    chunk_size: int | None = None,
) -> dict[str, float]:
    """Return recall@k among one match and `num_negatives` non-matches (the sample-100 protocol of Fashion-Gen).

    A query's candidates are one of its matches, drawn at random, and items that do not match it, drawn without
    replacement from the group (the sub-category) of that match. Where a group has too few, the rest is drawn from the
    whole gallery; where the gallery has too few, all are taken. One seed gives one draw for every chunk size.

    The ceiling is the recall, on the same draws, of a model that knows every label and cannot tell equal inputs apart
    (see `match_worth`). It is the expectation over the order of equally good copies, as everywhere; a model whose
    order happens to suit the draw can exceed it by chance, but not where all candidates are drawn.

    Args:
        query_embeds (`torch.Tensor` of shape `(Q, D)`): floating; L2-normalised for cosine.
        gallery_embeds (`torch.Tensor` of shape `(G, D)`): floating, on the same device.
        query_labels (`torch.Tensor` of shape `(Q,)`): integer.
        gallery_labels (`torch.Tensor` of shape `(G,)`): integer; equal labels are matches.
        gallery_groups (`torch.Tensor` of shape `(G,)`): integer; the group of every item.
        query_inputs (`torch.Tensor` of shape `(Q,)`, *optional*): integer; equal for inputs that a model cannot tell
            apart. Default: all differ.
        gallery_inputs (`torch.Tensor` of shape `(G,)`, *optional*): the same for the gallery.
        num_negatives (`int`, *optional*, defaults to 100): non-matching candidates of a query.
        seed (`int`, *optional*, defaults to 0): of the draws.
        ks (`Sequence[int]`, *optional*, defaults to `(1, 5, 10)`): cut-offs, each at least 1.
        chunk_size (`int`, *optional*): as in `recall_at_k`.

    Returns:
        `dict[str, float]`: `recall@k`, `recall_ceiling@k`, `num_queries`, `num_without_match`, `negatives_per_query`
        (mean number of negatives) and `negatives_of_group` (their share that comes from the match's group).

    Raises:
        ValueError: as in `recall_at_k`, or groups or inputs do not fit the labels.
    """
    check_embeddings(query_embeds, gallery_embeds, query_labels, gallery_labels)
    check_ks(ks)
    if gallery_groups.shape != gallery_labels.shape:
        raise ValueError(
            f"`gallery_groups` must have the shape of `gallery_labels`, {tuple(gallery_labels.shape)}, "
            f"got {tuple(gallery_groups.shape)}"
        )
    query_inputs = inputs_or_all_different("query", query_inputs, query_labels)
    gallery_inputs = inputs_or_all_different("gallery", gallery_inputs, gallery_labels)
    matched = matches_per_query(query_labels, gallery_labels) > 0
    if not matched.any():
        raise ValueError("no label of `query_labels` is among `gallery_labels`: there is nothing to find")
    query_embeds, query_labels, query_inputs = query_embeds[matched], query_labels[matched], query_inputs[matched]
    generator = torch.Generator().manual_seed(seed)
    hits, best_hits, drawn, of_group = [], [], 0, 0
    for chunk, scores, tolerance in score_chunks(query_embeds, gallery_embeds, chunk_size):
        keys = torch.rand(scores.shape, generator=generator).to(scores.device)
        matches = query_labels[chunk, None] == gallery_labels  # (C, G)
        positive = keys.masked_fill(~matches, -1).argmax(dim=1, keepdim=True)  # (C, 1)
        same_group = gallery_groups[positive] == gallery_groups  # (C, G)
        negatives, usable = _draw_negatives(keys, matches, same_group, num_negatives)
        worth = match_worth(chunk, query_inputs, gallery_inputs, query_labels, gallery_labels)
        hits.append(_hits_among(scores, positive, negatives, usable, tolerance, ks))
        best_hits.append(_hits_among(worth, positive, negatives, usable, torch.zeros_like(tolerance), ks))
        drawn += int(usable.sum())
        of_group += int((same_group.gather(1, negatives) & usable).sum())
    counts = {
        "num_queries": len(query_labels),
        "num_without_match": int((~matched).sum()),
        "negatives_per_query": drawn / len(query_labels),
        "negatives_of_group": of_group / max(1, drawn),
    }
    return _means("recall", hits, ks) | _means("recall_ceiling", best_hits, ks) | counts


def sample_cross_modal_recall(
    image_embeds: Tensor,
    text_embeds: Tensor,
    image_labels: Tensor,
    text_labels: Tensor,
    image_groups: Tensor,
    text_groups: Tensor,
    image_inputs: Tensor | None = None,
    text_inputs: Tensor | None = None,
    num_negatives: int = 100,
    seed: int = 0,
    ks: Sequence[int] = RECALL_KS,
) -> dict[str, float]:
    """Return `sample_recall` in both directions, with the key prefixes and the sums of `cross_modal_recall`.

    Args:
        image_embeds (`torch.Tensor` of shape `(I, D)`): floating; L2-normalised for cosine.
        text_embeds (`torch.Tensor` of shape `(T, D)`): floating; L2-normalised for cosine.
        image_labels (`torch.Tensor` of shape `(I,)`): integer.
        text_labels (`torch.Tensor` of shape `(T,)`): integer; equal labels are matches.
        image_groups (`torch.Tensor` of shape `(I,)`): integer; the group of every photo.
        text_groups (`torch.Tensor` of shape `(T,)`): integer; the group of every text.
        image_inputs (`torch.Tensor` of shape `(I,)`, *optional*): integer; equal where photos are identical, see
            `recall_ceiling`. Default: all differ.
        text_inputs (`torch.Tensor` of shape `(T,)`, *optional*): integer; equal where texts are identical.
        num_negatives (`int`, *optional*, defaults to 100): non-matching candidates of a query.
        seed (`int`, *optional*, defaults to 0): of the draws.
        ks (`Sequence[int]`, *optional*, defaults to `(1, 5, 10)`): cut-offs, each at least 1.

    Returns:
        `dict[str, float]`: the keys of `sample_recall`, prefixed as in `cross_modal_recall`.

    Raises:
        ValueError: as in `sample_recall`.
    """

    def measure(query, gallery):
        labels_and_group = (query[1], gallery[1], gallery[3])
        return sample_recall(query[0], gallery[0], *labels_and_group, query[2], gallery[2], num_negatives, seed, ks)

    return _both_ways(
        (image_embeds, image_labels, image_inputs, image_groups),
        (text_embeds, text_labels, text_inputs, text_groups),
        measure,
    )


def sum_recall(results: dict[str, float]) -> dict[str, float]:
    """Return `sum_recall`, the sum of `*_recall@k`, and where there are ceilings `sum_recall_ceiling`.

    Args:
        results (`dict[str, float]`): with keys `*_recall@k` and maybe `*_recall_ceiling@k`.
    """
    sums = {"sum_recall": sum(value for name, value in results.items() if "_recall@" in name)}
    ceilings = [value for name, value in results.items() if "_recall_ceiling@" in name]
    return sums | ({"sum_recall_ceiling": sum(ceilings)} if ceilings else {})


def _draw_negatives(keys: Tensor, matches: Tensor, same_group: Tensor, num_negatives: int) -> tuple[Tensor, Tensor]:
    """Items with the highest random keys in [0, 1), those of the group first, matches never: index, usable (C, n)."""
    ranked = (keys + same_group).masked_fill(matches, -1)
    best = ranked.topk(min(num_negatives, keys.shape[1]), dim=1)
    return best.indices, best.values >= 0


def _hits_among(
    scores: Tensor, positive: Tensor, negatives: Tensor, usable: Tensor, tolerance: Tensor, ks: Sequence[int]
) -> Tensor:
    candidates = scores.gather(1, torch.cat([positive, negatives], dim=1))  # (C, 1 + n)
    candidates[:, 1:].masked_fill_(~usable, -torch.inf)
    is_positive = torch.zeros_like(candidates, dtype=torch.bool)
    is_positive[:, 0] = True
    return expected_hits(candidates, is_positive, tolerance, ks)


def _means(name: str, hits: list[Tensor], ks: Sequence[int]) -> dict[str, float]:
    means = torch.cat(hits).mean(dim=0).tolist()
    return {f"{name}@{k}": mean for k, mean in zip(ks, means, strict=True)}


def _both_ways(image: tuple, text: tuple, measure: Callable[[tuple, tuple], dict[str, float]]) -> dict[str, float]:
    """Metrics of images as queries and of texts as queries, under prefixed names, and their sum."""
    metrics = {"image_to_text": measure(image, text), "text_to_image": measure(text, image)}
    results = {f"{direction}_{name}": value for direction in metrics for name, value in metrics[direction].items()}
    return results | sum_recall(results)
