"""Loading of a re-ranker: FR, a baseline by its name, or a function."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from transformers import CONFIG_MAPPING, PreTrainedModel

from ...embedding.saved_models import named_errors
from ...embedding.whole_model import load_whole
from ...messages import did_you_mean
from .k_reciprocal import k_reciprocal
from .query_expansion import query_expansion
from .reasoning import FR_TYPE, ReasoningReranker
from .reranking import Reranker


BASELINES: dict[str, Reranker] = {"query_expansion": query_expansion, "k_reciprocal": k_reciprocal}
_ALLOWED = f"a FeatureReasoningModel, its path or Hub id, one of {', '.join(BASELINES)}, or a function"


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
        return _load_reasoning(str(reranker), trust_remote_code)
    if not callable(reranker):
        raise ValueError(f"`reranker` must be {_ALLOWED}, got {type(reranker).__name__}")
    return reranker


def _load_reasoning(name: str, trust_remote_code: bool) -> ReasoningReranker:
    try:
        with named_errors(name):
            model = load_whole(name, trust_remote_code=trust_remote_code)
        return ReasoningReranker(model)
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
