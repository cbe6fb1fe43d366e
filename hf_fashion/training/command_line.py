"""What every training script takes from the command line, and prints on it."""

import argparse
from collections.abc import Sequence

from accelerate import Accelerator


def add_recipe_arguments(parser: argparse.ArgumentParser) -> argparse.ArgumentParser:
    """Adds the recipe, changes to it, and where to resume. Returns the parser."""
    parser.add_argument("recipe", help="YAML file, see training/recipes/README.md")
    parser.add_argument("--set", nargs="+", default=[], metavar="SECTION.KEY=VALUE", help="changes to the recipe")
    parser.add_argument("--output_dir", help="short for --set training.output_dir=...")
    parser.add_argument("--on_bad_image", choices=["error", "skip"], help="photos that cannot be read")
    parser.add_argument("--on_leak", choices=["error", "warn"], help="photos or titles that stand in both splits")
    parser.add_argument("--resume_from_checkpoint", metavar="PATH", help='a checkpoint, or "latest"')
    return parser


def recipe_changes(arguments: argparse.Namespace) -> list[str]:
    """The changes to a recipe that a command line asks for, as `RecipeFile.read` takes them."""
    short = {"training.output_dir": arguments.output_dir}
    short |= {"data.on_bad_image": arguments.on_bad_image, "data.on_leak": arguments.on_leak}
    return [*arguments.set, *(f"{key}={value}" for key, value in short.items() if value is not None)]


def report_validation(accelerator: Accelerator, figures: dict[str, float], names: Sequence[str]) -> dict[str, float]:
    """Prints the figures that one looks at, once, and hands all of them on.

    Args:
        accelerator (`Accelerator`): knows the main process.
        figures (`dict[str, float]`): of an evaluation.
        names (`Sequence[str]`): those to print.
    """
    accelerator.print("validation: " + ", ".join(f"{name} {figures[name]:.4f}" for name in names))
    return figures
