"""What may re-order the first results of a search: FR, the baselines, or a function."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from transformers import CONFIG_MAPPING, AutoModel, PreTrainedModel

from ..messages import did_you_mean


# (query_embeds (Q, d), candidate_embeds (Q, k, d), candidate_mask (Q, k)) -> scores (Q, k)
Reranker = Callable[[Tensor, Tensor, Tensor], Tensor]
BASELINES = ("query_expansion", "k_reciprocal")
FR_TYPE = "feature_reasoning"


class ReasoningReranker:
    """FR as a function of vectors, wherever they are.

    Args:
        model (`FeatureReasoningModel`): it is put into evaluation mode while it re-ranks.

    Raises:
        ValueError: the model is no FR.
    """

    def __init__(self, model: PreTrainedModel):
        if model.config.model_type != FR_TYPE:
            raise ValueError(f"`reranker` must be a FeatureReasoningModel, got {type(model).__name__}")
        self.model = model
        self.num_candidates = model.config.num_candidates

    def to(self, device: torch.device) -> None:
        """Moves the model.

        Args:
            device (`torch.device`): where it shall compute.
        """
        self.model.to(device)

    @torch.no_grad()
    def __call__(self, query_embeds: Tensor, candidate_embeds: Tensor, candidate_mask: Tensor) -> Tensor:
        """Arguments and result as in [`Reranker`]."""
        lists = (given.to(self.model.device) for given in (query_embeds, candidate_embeds, candidate_mask))
        was_training = self.model.training
        try:
            return self.model.eval().rerank(*lists).to(query_embeds.device)
        finally:
            self.model.train(was_training)


def load_reranker(reranker: Any) -> Reranker:
    """A re-ranker from what a user may name it by.

    Args:
        reranker (`FeatureReasoningModel`, `str`, `Path` or `Callable`): an FR, its path or Hub id, the name of a
            baseline, or a function.

    Raises:
        ValueError: it is none of these.
        ImportError: a baseline is named where hf_fashion is not installed.
    """
    if isinstance(reranker, PreTrainedModel):
        return ReasoningReranker(reranker)
    if reranker in BASELINES:
        return _baseline(reranker)
    if isinstance(reranker, (str, Path)):
        return _load_reasoning(str(reranker))
    if not callable(reranker):
        raise ValueError(f"`reranker` must be {_ALLOWED}, got {type(reranker).__name__}")
    return reranker


_ALLOWED = f"a FeatureReasoningModel, its path or Hub id, one of {', '.join(BASELINES)}, or a function"


def _load_reasoning(name: str) -> ReasoningReranker:
    try:
        return ReasoningReranker(AutoModel.from_pretrained(name))
    except (OSError, ValueError) as error:
        raise ValueError(
            f"`reranker` must be {_ALLOWED}, got {name!r}{did_you_mean(name, BASELINES)}: {error}{_hint(name)}"
        ) from error


def _hint(name: str) -> str:
    if FR_TYPE in CONFIG_MAPPING:  # hf_fashion has been imported
        return ""
    return (
        f". Without hf_fashion, give the FR itself: AutoModel.from_pretrained({name!r}, "
        "trust_remote_code=True); with it, import hf_fashion first"
    )


def _baseline(name: str) -> Reranker:
    try:
        from hf_fashion.retrieval.rerankers.k_reciprocal import k_reciprocal
        from hf_fashion.retrieval.rerankers.query_expansion import query_expansion
    except ImportError as error:
        raise ImportError(f"`reranker`={name!r} needs hf_fashion: pip install hf-fashion") from error
    return {"query_expansion": query_expansion, "k_reciprocal": k_reciprocal}[name]
