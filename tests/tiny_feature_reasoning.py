"""An FR small enough to run in milliseconds, and lists for it to re-rank."""

import torch
from transformers import set_seed

from hf_fashion.models.feature_reasoning.configuration_feature_reasoning import FeatureReasoningConfig
from hf_fashion.models.feature_reasoning.modeling_feature_reasoning import FeatureReasoningModel


NUM_CANDIDATES = 6
DIM = 12


def tiny_feature_reasoning_config(**kwargs) -> FeatureReasoningConfig:
    return FeatureReasoningConfig(
        **({"num_candidates": NUM_CANDIDATES, "hidden_size": 16, "step_size": 0.05} | kwargs)
    )


def tiny_feature_reasoning(seed: int = 0, **kwargs) -> FeatureReasoningModel:
    """Return a model with random heads: a new one changes no ranking."""
    set_seed(seed)
    model = FeatureReasoningModel(tiny_feature_reasoning_config(**kwargs)).eval()
    with torch.no_grad():
        for update in (model.query_update, model.candidate_update):
            update.fc_out.weight.normal_()
    return model


def tiny_lists(queries: int = 3, candidates: int = NUM_CANDIDATES, seed: int = 0) -> dict[str, torch.Tensor]:
    """Return `query_embeds` and `candidate_embeds`, float64."""
    generator = torch.Generator().manual_seed(seed)
    return {
        "query_embeds": torch.randn(queries, DIM, dtype=torch.float64, generator=generator),
        "candidate_embeds": torch.randn(queries, candidates, DIM, dtype=torch.float64, generator=generator),
    }
