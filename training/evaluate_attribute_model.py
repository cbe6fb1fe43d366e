"""Evaluates an attribute-specific model on one split of a corpus: prints tables and writes JSON.

    python training/evaluate_attribute_model.py --model runs/attributes/asen_quickstart/best --corpus generated \\
        --pointing --output results.json

    python training/evaluate_attribute_model.py --model runs/ipad/best --corpus CORPUS \\
        --rerankers runs/feature_reasoning/best query_expansion k_reciprocal --output results.json

The split is divided into queries and candidates by `--seed`, or as published lists say.
"""

import argparse

import hf_fashion  # noqa: F401  registers the models with transformers' Auto classes
from hf_fashion.evaluation import attribute_evaluation
from hf_fashion.evaluation.command_line import add_attribute_arguments, add_evaluation_arguments
from hf_fashion.evaluation.whole_evaluation import run_evaluation


def parse_arguments(arguments: list[str] | None = None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    return add_attribute_arguments(add_evaluation_arguments(parser)).parse_args(arguments)


def main(arguments: list[str] | None = None) -> None:
    """Evaluate, print, write."""
    run_evaluation(attribute_evaluation, parse_arguments(arguments))


if __name__ == "__main__":
    main()
