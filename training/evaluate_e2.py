"""Evaluates an E2, or a CLIP beside it, on one split of a corpus: prints tables and writes JSON.

    python training/evaluate_e2.py --model runs/e2/best --corpus generated --split validation \\
        --tags --linear_probe --localisation --output results.json

`--rerankers` re-ranks what descriptions find among the photos.
"""

import argparse

import hf_fashion  # noqa: F401  registers the models with transformers' Auto classes
from hf_fashion.evaluation import e2_evaluation
from hf_fashion.evaluation.command_line import add_e2_arguments, add_evaluation_arguments
from hf_fashion.evaluation.whole_evaluation import run_evaluation


def parse_arguments(arguments: list[str] | None = None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    return add_e2_arguments(add_evaluation_arguments(parser)).parse_args(arguments)


def main(arguments: list[str] | None = None) -> None:
    """Evaluate, print, write."""
    run_evaluation(e2_evaluation, parse_arguments(arguments))


if __name__ == "__main__":
    main()
