"""Evaluate a model on a corpus whose right answers are known.

    hf-fashion evaluate --model runs/quickstart/e2/best --corpus generated --tags --localisation

    hf-fashion evaluate --model runs/attributes/best --corpus catalogue.csv --column_map my_map.yaml --pointing \\
        --rerankers runs/feature_reasoning/best query_expansion --output results.json

What is measured depends on the model: E2, CLIP and FILIP find photos by descriptions and descriptions by photos,
attribute-specific models find photos with the same value of an attribute, captioners describe photos. Options of
another kind are refused.
"""

import argparse
from pathlib import Path

from .evaluation_arguments import (
    add_attribute_arguments,
    add_caption_arguments,
    add_e2_arguments,
    add_evaluation_arguments,
    evaluation_options,
)
from .output import hide_loading_bars


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of all kinds of models.

    Args:
        parser (`argparse.ArgumentParser`): gets the options.
    """
    add_caption_arguments(add_attribute_arguments(add_e2_arguments(add_evaluation_arguments(parser))))


def run(arguments: argparse.Namespace) -> None:
    """Evaluate the model, print tables and write JSON.

    Args:
        arguments (`argparse.Namespace`): the parsed options.
    """
    from ..evaluation.evaluate import evaluate
    from ..files import write_json
    from ..reports.evaluation_tables import evaluation_tables

    if arguments.output and Path(arguments.output).is_dir():
        raise ValueError(f"--output {arguments.output} is a folder: name the file to write")
    hide_loading_bars()
    results = evaluate(arguments.model, arguments.corpus, **evaluation_options(arguments))
    print(evaluation_tables(results))
    if arguments.output:
        write_json(results, arguments.output)
