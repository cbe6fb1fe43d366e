"""Evaluates a model on a corpus whose right answers are known.

    hf-fashion evaluate --model runs/quickstart/e2/best --corpus generated --tags --localisation

    hf-fashion evaluate --model runs/attributes/best --corpus catalogue.csv --column_map my_map.yaml --pointing \\
        --rerankers runs/feature_reasoning/best query_expansion --output results.json

What is measured depends on the model: E2 and CLIP find photos by descriptions and descriptions by photos,
attribute-specific models find photos that are alike in one attribute. Options of the other kind are refused.
"""

import argparse

from ..evaluation.command_line import add_attribute_arguments, add_e2_arguments, add_evaluation_arguments


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options of both kinds of models."""
    add_attribute_arguments(add_e2_arguments(add_evaluation_arguments(parser)))


def run(arguments: argparse.Namespace) -> None:
    """Evaluates the model as its kind is evaluated; prints tables, writes JSON."""
    from ..evaluation import e2_evaluation
    from ..evaluation.whole_evaluation import evaluation_of, run_evaluation

    evaluation = evaluation_of(arguments.model)
    of_other_kind = add_attribute_arguments if evaluation is e2_evaluation else add_e2_arguments
    defaults = of_other_kind(argparse.ArgumentParser()).parse_args([])
    for name, default in vars(defaults).items():
        if getattr(arguments, name) != default:
            raise ValueError(f"--{name} is for the other kind of models, not for {arguments.model}")
    run_evaluation(evaluation, arguments)
