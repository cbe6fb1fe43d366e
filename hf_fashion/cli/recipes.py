"""List the recipes that come with the package.

    hf-fashion recipes
    hf-fashion recipes attribute

Each line is a recipe for `hf-fashion train MODEL RECIPE`, and what it trains.
"""

import argparse

from .train import RECIPES


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of this command.

    Args:
        parser (`argparse.ArgumentParser`): gets the options.
    """
    parser.add_argument("model", nargs="?", choices=RECIPES, metavar="MODEL", help=f"one of {', '.join(RECIPES)}")


def run(arguments: argparse.Namespace) -> None:
    """Print the recipes of each model.

    Args:
        arguments (`argparse.Namespace`): the parsed options.
    """
    from ..training.recipes.shipped import describe, shipped_recipes

    for model in [arguments.model] if arguments.model else RECIPES:
        recipes = shipped_recipes(model)
        width = max(map(len, recipes))
        print(f"hf-fashion train {model}")
        for name, path in recipes.items():
            print(f"    {name:<{width}}  {describe(path)}")
