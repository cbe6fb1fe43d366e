"""What re-ranking the first candidates does to search: MAP before and after, queries made better and worse."""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from ..metrics import attribute_map
from ..metrics.attribute_map import average_precisions_of_hits
from ..pipelines.rerankers_fashion_retrieval import ReasoningReranker, Reranker, load_reranker
from .labelled_search import LabelledSearch, Rankings


PRIMARY_METRIC = "map"


def compare_rerankers(
    names: Sequence[str],
    searches: Mapping[str, Sequence[LabelledSearch]],
    num_candidates: int,
    device: str | torch.device = "cpu",
) -> dict[str, dict[str, float]]:
    """Figures of several re-rankers over the same searches.

    Args:
        names: as in `load_reranker`: baselines by their names, FR models by their folders or Hub ids.
        searches: as in `evaluate_reranking`.
        num_candidates: what baselines re-rank; an FR re-ranks as many as its weights are made for.
        device: where FR runs.

    Returns:
        Name -> what `evaluate_reranking` returns.

    Raises:
        ValueError: a name is none of these, or as `evaluate_reranking`.
    """
    figures = {}
    for name in names:
        reranker = load_reranker(name)
        if isinstance(reranker, ReasoningReranker):
            reranker.to(torch.device(device))
        number = getattr(reranker, "num_candidates", num_candidates)
        figures[name] = evaluate_reranking(searches, reranker, number)
    return figures


def evaluate_reranking(
    searches: Mapping[str, Sequence[LabelledSearch]], reranker: Reranker, num_candidates: int, batch_size: int = 32
) -> dict[str, float]:
    """MAP of whole rankings whose first candidates are re-ranked; what lies behind them keeps its place.

    Args:
        searches: name of an attribute -> its searches, of which the queries are taken together.
        reranker: gives the candidates of each query new scores, -inf where the mask is False.
        num_candidates: k, how many candidates it gets of each query; where a gallery has fewer, all of them.
        batch_size: queries it gets at a time.

    Returns:
        `map`, `mean_attribute_map`, `{name}_map`; the same before re-ranking (`initial_map`, ...); and
        `share_better`, `share_worse`: of all queries, whose AP rose and fell.

    Raises:
        ValueError: there is no search, or `num_candidates` is below 1.
    """
    if num_candidates < 1 or not searches or not all(searches.values()):
        raise ValueError(
            "`num_candidates` must be at least 1, and `searches` hold a search for each of its names; got "
            f"{num_candidates} and { ({name: len(parts) for name, parts in searches.items()}) }"
        )
    before: dict[str, Tensor] = {}
    after: dict[str, Tensor] = {}
    for name, parts in searches.items():
        pairs = [_both(search, reranker, num_candidates, batch_size) for search in parts]
        before[name], after[name] = (torch.cat(values) for values in zip(*pairs, strict=True))
    change = torch.cat(list(after.values())) - torch.cat(list(before.values()))
    shares = {"share_better": (change > 0).double().mean().item(), "share_worse": (change < 0).double().mean().item()}
    return attribute_map(after) | attribute_map(before, "initial_map") | shares


@torch.inference_mode()
def reranked_places(search: LabelledSearch, ranked: Rankings, reranker: Reranker, num_candidates: int) -> Tensor:
    """Rows of the gallery by rank, int64 (C, G), after the first candidates of some queries were re-ranked.

    Args:
        search: what was searched.
        ranked: C of its queries, ranked.
        reranker: as in `evaluate_reranking`.
        num_candidates: how many candidates it gets.
    """
    places, mask = ranked.places[:, :num_candidates], ranked.valid[:, :num_candidates]
    scores = reranker(search.query_embeds[ranked.queries], search.gallery_embeds[places], mask)
    order = scores.argsort(dim=1, descending=True, stable=True)
    return torch.cat([places.gather(1, order), ranked.places[:, num_candidates:]], dim=1)


def _both(search: LabelledSearch, reranker: Reranker, num_candidates: int, batch_size: int) -> tuple[Tensor, Tensor]:
    """AP of every query before and after: (Q,) each."""
    before, after = [], []
    for ranked in search.rankings(batch_size):
        moved = reranked_places(search, ranked, reranker, num_candidates)
        before.append(average_precisions_of_hits(ranked.hits))
        after.append(average_precisions_of_hits(search.relevant(ranked.queries, moved)))
    return torch.cat(before), torch.cat(after)
