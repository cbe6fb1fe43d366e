"""Evaluate an attribute-specific model on one split of a corpus: print tables and write JSON.

    python training/evaluate_attribute_model.py --model runs/attributes/asen_quickstart/best --corpus generated \\
        --pointing --output results.json

    python training/evaluate_attribute_model.py --model runs/ipad/best --corpus CORPUS \\
        --rerankers runs/feature_reasoning/best query_expansion k_reciprocal --output results.json

The split is divided into queries and candidates by `--seed`, or by published lists.
"""

import argparse
import sys
from pathlib import Path

from hf_fashion.cli.ending import run_command
from hf_fashion.cli.evaluate import run
from hf_fashion.cli.evaluation_arguments import add_attribute_arguments, add_evaluation_arguments


def parse_arguments(arguments: list[str] | None = None) -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    return add_attribute_arguments(add_evaluation_arguments(parser)).parse_args(arguments)


def main(arguments: list[str] | None = None) -> None:
    """Evaluate, print, write."""
    run(parse_arguments(arguments))


if __name__ == "__main__":
    sys.exit(run_command(main, Path(__file__).name))
