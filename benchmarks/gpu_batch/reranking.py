"""FR over the searches of an attribute model, and query expansion and k-reciprocal encoding next to it."""

from collections.abc import Mapping, Sequence

import torch
from torch.utils.data import DataLoader

from benchmarks.gpu_batch.optimising import Clock, optimise
from benchmarks.gpu_batch.settings import Settings
from hf_fashion.evaluation.labelled_search import LabelledSearch
from hf_fashion.evaluation.reranking import evaluate_reranking
from hf_fashion.models.feature_reasoning.configuration_feature_reasoning import FeatureReasoningConfig
from hf_fashion.models.feature_reasoning.modeling_feature_reasoning import FeatureReasoningModel
from hf_fashion.retrieval.rerankers.k_reciprocal import k_reciprocal
from hf_fashion.retrieval.rerankers.query_expansion import query_expansion
from hf_fashion.retrieval.rerankers.reasoning import ReasoningReranker
from hf_fashion.training.feature_reasoning.lists import CandidateLists, collate_lists
from hf_fashion.training.feature_reasoning.recipe import ListsRecipe, ReasoningLossRecipe
from hf_fashion.training.feature_reasoning.step import FeatureReasoningStep


# As in benchmarks/recipes/feature_reasoning/common.yaml.
BATCH_SIZE, LEARNING_RATE, STEP_SIZE, LOG_SCALE = 16, 1e-3, 2e-4, 2.3026
BASELINES = {"query expansion": query_expansion, "k-reciprocal": k_reciprocal}


def rerank_metrics(
    settings: Settings,
    searches: Mapping[str, Mapping[str, Sequence[LabelledSearch]]],
    seed: int,
    device: torch.device,
    clock: Clock,
) -> dict[str, float]:
    """Return MAP after each re-ranker, and the shares of queries that it makes better and worse.

    Args:
        settings (`Settings`): sizes of FR and its lists.
        searches (`Mapping`): `"held_out"`, which FR learns from, and `"validation"`: attribute -> searches.
        seed (`int`): of FR's weights and lists.
        device (`torch.device`): where FR runs.
        clock (`Clock`): the time that is left.
    """
    reasoning = ReasoningReranker(train_reasoning(settings, searches["held_out"], seed, device, clock))
    metrics = {}
    for name, reranker in {"fr": reasoning, **BASELINES}.items():
        clock.check()
        found = evaluate_reranking(searches["validation"], reranker, settings.num_candidates)
        metrics |= {f"{name}/{key}": found[key] for key in ("map", "share_better", "share_worse")}
    return metrics


def train_reasoning(
    settings: Settings,
    searches: Mapping[str, Sequence[LabelledSearch]],
    seed: int,
    device: torch.device,
    clock: Clock,
) -> FeatureReasoningModel:
    """Train FR on the first candidates of searches among photos that the model has not seen."""
    recipe = ListsRecipe(min_positives=settings.fr_min_positives, per_attribute=settings.fr_lists)
    lists = CandidateLists(searches, settings.num_candidates, recipe, seed)
    torch.manual_seed(seed)
    config = FeatureReasoningConfig(
        num_candidates=settings.num_candidates,
        hidden_size=settings.fr_width,
        step_size=STEP_SIZE,
        logit_scale_init_value=LOG_SCALE,
    )
    model, step = FeatureReasoningModel(config).to(device), FeatureReasoningStep(ReasoningLossRecipe(pairs="query"))
    loader = DataLoader(lists, BATCH_SIZE, shuffle=True, collate_fn=collate_lists)
    batches = (batch for _ in range(settings.fr_epochs) for batch in loader)

    def loss_of(number: int) -> torch.Tensor:
        return step(model, model, {name: value.to(device) for name, value in next(batches).items()})["loss"]

    group = {"params": model.parameters(), "lr": LEARNING_RATE, "weight_decay": 0.0}
    optimise(model, [group], settings.fr_epochs * len(loader), loss_of, clock)
    return model
