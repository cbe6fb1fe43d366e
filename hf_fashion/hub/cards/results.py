"""Make the evaluation results of a card's metadata: every metric with its split, ceilings and chance among them."""

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from huggingface_hub import EvalResult

from ...retrieval.rerankers.loading import BASELINES
from .evaluations import PARTS


_TASKS = {
    "cross_modal": "image-text-retrieval",
    "tags": "zero-shot-image-classification",
    "linear_probe": "image-classification",
    "localisation": "visual-grounding",
    "retrieval": "image-retrieval",
    "pointing": "visual-grounding",
    "reranking": "re-ranking",
    "changes": "image-retrieval",
    "fashion_iq": "image-retrieval",
    "captions": "image-to-text",
    "said_tags": "image-to-text",
    "classification": "image-classification",
}
_METRIC = re.compile(
    r"(?:sum_)?(?:recall|precision|map|accuracy|majority_rate|centre_inside|overlaps|share_better|share_worse)"
    r"(?:_ceiling|_chance)?(?:@\d+)?$"
)


def eval_results(evaluations: Sequence[Mapping[str, Any]]) -> list[EvalResult]:
    """Return a result for every metric of every evaluation; those of other re-rankers are only in the tables.

    Args:
        evaluations (`Sequence[Mapping[str, Any]]`): as `hf-fashion evaluate` writes them.
    """
    results = []
    for evaluation in evaluations:
        for part in PARTS:
            measured = {name: value for name, value in evaluation.get(part, {}).items() if name not in BASELINES}
            for key, value in _metrics(measured):
                results.append(_result(evaluation, part, key, value))
    return results


def _metrics(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, float]]:
    """Finite metrics; those of re-rankers are below their names."""
    for key, value in values.items():
        if isinstance(value, Mapping):
            yield from _metrics(value, f"{key}: ")
        elif isinstance(value, float) and math.isfinite(value):
            yield f"{prefix}{key}", value


def _result(evaluation: Mapping[str, Any], part: str, key: str, value: float) -> EvalResult:
    match = _METRIC.search(key)
    corpus = evaluation["corpus"]
    return EvalResult(
        task_type=_TASKS[part],
        task_name=PARTS[part],
        dataset_type=evaluation.get("hub_id") or re.sub(r"[^\w.-]+", "-", corpus),
        dataset_name=corpus,
        dataset_split=evaluation["split"],
        metric_type=(match[0] if match else key).replace("@", "_at_"),
        metric_name=key.replace("_", " "),
        metric_value=round(value, 4),
    )
