"""MAP of searches before and after re-ranking, and shares of queries that re-ranking makes better and worse."""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor
from transformers import PreTrainedModel

from ..embedding.fingerprint import model_fingerprint
from ..metrics import attribute_map
from ..metrics.attribute_map import average_precisions_of_hits
from ..retrieval.rerankers.loading import load_reranker
from ..retrieval.rerankers.reasoning import ReasoningReranker
from ..retrieval.rerankers.reranking import Reranker, reranked_order
from ..retrieval.results import reorder_first
from .labelled_search import LabelledSearch, Rankings


PRIMARY_METRIC = "map"


def load_rerankers(names: Sequence[str], model: PreTrainedModel) -> dict[str, Reranker]:
    """Load several re-rankers of a model's searches.

    Args:
        names (`Sequence[str]`): as in [`load_reranker`]: baselines by their names, FR models by their folders or Hub
            ids.
        model (`PreTrainedModel`): the embedding model whose searches they are; FR runs on its device.

    Returns:
        `dict`: name -> re-ranker.

    Raises:
        ValueError: a name is not a re-ranker, or that of an FR of another model.
    """
    rerankers = {name: load_reranker(name) for name in names}
    for reranker in rerankers.values():
        if isinstance(reranker, ReasoningReranker):
            reranker.check_embedder(model_fingerprint(model))
            reranker.to(model.device)
    return rerankers


def compare_rerankers(
    rerankers: Mapping[str, Reranker], searches: Mapping[str, Sequence[LabelledSearch]], num_candidates: int
) -> dict[str, dict[str, float]]:
    """Evaluate several re-rankers on the same searches.

    Args:
        rerankers (`Mapping[str, Callable]`): from [`load_rerankers`].
        searches (`Mapping[str, Sequence[LabelledSearch]]`): as in [`evaluate_reranking`].
        num_candidates (`int`): candidates that baselines get; an FR gets as many as its weights are made for.

    Returns:
        `dict`: name -> metrics, as [`evaluate_reranking`] returns them.

    Raises:
        ValueError: as [`evaluate_reranking`].
    """
    return {
        name: evaluate_reranking(searches, reranker, getattr(reranker, "num_candidates", num_candidates))
        for name, reranker in rerankers.items()
    }


def evaluate_reranking(
    searches: Mapping[str, Sequence[LabelledSearch]], reranker: Reranker, num_candidates: int, batch_size: int = 32
) -> dict[str, float]:
    """Return MAP of whole rankings before and after their first candidates are re-ranked.

    Args:
        searches (`Mapping[str, Sequence[LabelledSearch]]`): attribute -> its searches, whose queries are averaged
            together.
        reranker (`Callable`): as [`Reranker`].
        num_candidates (`int`): candidates of each query that it gets; where a gallery has fewer, all of them.
        batch_size (`int`, *optional*, defaults to 32): queries that it gets at a time.

    Returns:
        `dict`: `map`, `mean_attribute_map`, `{name}_map`; the same before re-ranking (`initial_map`, ...); and
        `share_better`, `share_worse`: shares of the queries whose AP rose and fell.

    Raises:
        ValueError: there is no search, `num_candidates` is below 1, or the re-ranker does not give each candidate a
            score.
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
    """Re-rank the first candidates of some queries; the gallery behind them keeps its order.

    Args:
        search (`LabelledSearch`): the search.
        ranked (`Rankings`): rankings of C of its queries.
        reranker (`Callable`): as [`Reranker`].
        num_candidates (`int`): candidates that it gets.

    Returns:
        `torch.Tensor` of shape `(C, G)`: int64, rows of the gallery by rank.
    """
    candidates = ranked.first(num_candidates)
    candidate_embeds = search.gallery_embeds[candidates.places]
    order = reranked_order(reranker, search.query_embeds[ranked.queries], candidate_embeds, candidates.valid)
    return reorder_first(ranked.places, order)


def _both(search: LabelledSearch, reranker: Reranker, num_candidates: int, batch_size: int) -> tuple[Tensor, Tensor]:
    """AP of every query before and after re-ranking: (Q,) each."""
    before, after = [], []
    for ranked in search.rankings(batch_size):
        moved = reranked_places(search, ranked, reranker, num_candidates)
        before.append(average_precisions_of_hits(ranked.hits))
        after.append(average_precisions_of_hits(search.relevant(ranked.queries, moved)))
    return torch.cat(before), torch.cat(after)
