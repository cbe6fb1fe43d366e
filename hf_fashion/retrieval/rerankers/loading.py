"""Loading of a re-ranker: FR, a baseline by its name, or a function."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from transformers import PreTrainedModel

from ...embedding.saved_models import load_companion
from ...messages import did_you_mean
from .k_reciprocal import k_reciprocal
from .query_expansion import query_expansion
from .reasoning import FR_TYPE, ReasoningReranker
from .reranking import Reranker


BASELINES: dict[str, Reranker] = {"query_expansion": query_expansion, "k_reciprocal": k_reciprocal}
_EXPECTED = (
    f"`reranker` must be a FeatureReasoningModel, its path or Hub id, one of {', '.join(BASELINES)}, or a function"
)


def load_reranker(reranker: Any, trust_remote_code: bool = False) -> Reranker:
    """Load a re-ranker.

    Args:
        reranker (`FeatureReasoningModel`, `str`, `Path` or `Callable`): an FR, its path or Hub id, the name of a
            baseline, or a function.
        trust_remote_code (`bool`, *optional*, defaults to `False`): whether code that comes with an FR may run.

    Raises:
        ValueError: `reranker` is none of these.
    """
    if isinstance(reranker, PreTrainedModel):
        return ReasoningReranker(reranker)
    if isinstance(reranker, str) and reranker in BASELINES:
        return BASELINES[reranker]
    if isinstance(reranker, (str, Path)):
        name = str(reranker)
        suggestion = did_you_mean(name, BASELINES)
        return load_companion(name, FR_TYPE, ReasoningReranker, _EXPECTED, trust_remote_code, suggestion)
    if not callable(reranker):
        raise ValueError(f"{_EXPECTED}, got {type(reranker).__name__}")
    return reranker
