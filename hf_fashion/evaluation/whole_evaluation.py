"""Which evaluation a model gets, and what becomes of its figures."""

import argparse
from types import ModuleType

from transformers import AutoConfig

from ..files import write_json
from . import attribute_evaluation, e2_evaluation


def evaluation_of(model: str) -> ModuleType:
    """The module with `evaluate` and `print_tables` for a model.

    Args:
        model (`str`): folder or Hub id.

    Raises:
        ValueError: the model is neither attribute-specific nor an E2 or CLIP.
        OSError: there is no such model.
    """
    config = AutoConfig.from_pretrained(model)
    if getattr(config, "attribute_names", None):
        return attribute_evaluation
    if hasattr(config, "vision_config") and hasattr(config, "text_config"):
        return e2_evaluation
    raise ValueError(
        f"{model} is a {config.model_type!r}: only E2, CLIP and attribute-specific models are evaluated. A "
        "re-ranker is named with `--rerankers` beside the model that it re-ranks for"
    )


def run_evaluation(evaluation: ModuleType, arguments: argparse.Namespace) -> None:
    """Evaluates, prints, and writes where `--output` is given.

    Args:
        evaluation (`ModuleType`): `e2_evaluation` or `attribute_evaluation`.
        arguments (`argparse.Namespace`): what its `evaluate` takes.
    """
    results = evaluation.evaluate(arguments)
    evaluation.print_tables(results)
    if arguments.output:
        write_json(results, arguments.output)
