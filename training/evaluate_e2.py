"""Evaluate an E2 or a CLIP on one split of a corpus: print tables and write JSON.

    python training/evaluate_e2.py --model runs/e2/best --corpus generated --split validation \\
        --tags --linear_probe --localisation --output results.json

`--rerankers` re-ranks the photos that descriptions find.
"""

import argparse
import sys
from pathlib import Path

from hf_fashion.cli.ending import run_command
from hf_fashion.cli.evaluate import run
from hf_fashion.cli.evaluation_arguments import add_e2_arguments, add_evaluation_arguments


def parse_arguments(arguments: list[str] | None = None) -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    return add_e2_arguments(add_evaluation_arguments(parser)).parse_args(arguments)


def main(arguments: list[str] | None = None) -> None:
    """Evaluate, print, write."""
    run(parse_arguments(arguments))


if __name__ == "__main__":
    sys.exit(run_command(main, Path(__file__).name))
