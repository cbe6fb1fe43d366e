"""Train a model from a recipe.

    hf-fashion train e2 e2_quickstart
    hf-fashion train e2 e2_quickstart --set data.corpus=catalogue.csv data.column_map=product-feed \\
        --output_dir runs/catalogue
    hf-fashion train attribute my_recipe.yaml --resume_from_checkpoint latest
    hf-fashion train e2 e2_quickstart --push_to_hub --hub_model_id shop/dresses --hub_private

MODEL is e2 (also for a plain CLIP of the same size), attribute (ASEN, ASEN++, IPAD and others), feature_reasoning (FR,
which re-ranks the searches of the others), captioner (which describes photos in words; it learns from texts only) or
backbone (a classifier that an attribute model starts from). RECIPE is a YAML file, or one of those that `hf-fashion
recipes` lists. The run writes `best/` and `last/` (models for `from_pretrained`), `checkpoints/` and `results.json`
into the recipe's `training.output_dir`. Several GPUs share the work under `accelerate launch -m hf_fashion train ...`.
"""

import argparse
import json
from importlib import import_module


# Model, which is the name of its folder in `hf_fashion/training` -> the class of its recipes.
RECIPES = {
    "e2": "E2Recipe",
    "attribute": "AttributeRecipe",
    "feature_reasoning": "FeatureReasoningRecipe",
    "captioner": "CaptionerRecipe",
    "backbone": "BackboneRecipe",
}
# Options that are short for `--set SECTION.KEY=...`, and their sections.
SHORT = {"output_dir": "training", "on_bad_image": "data", "on_leak": "data", "lora_r": "model"}
SHORT |= dict.fromkeys(("push_to_hub", "hub_model_id", "hub_private", "hub_strategy"), "training")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of this command.

    Args:
        parser (`argparse.ArgumentParser`): gets the options.
    """
    parser.set_defaults(stopped="--resume_from_checkpoint latest goes on from its last checkpoint.")
    parser.add_argument("model", choices=RECIPES, metavar="MODEL", help=f"one of {', '.join(RECIPES)}")
    parser.add_argument("recipe", metavar="RECIPE", help="a YAML file, or the name of a shipped recipe")
    parser.add_argument(
        "--set", nargs="+", action="extend", default=[], metavar="SECTION.KEY=VALUE", help="changes to the recipe"
    )
    parser.add_argument("--output_dir", help="short for --set training.output_dir=...")
    parser.add_argument("--lora_r", type=int, help="rank of a LoRA adapter on the model that the recipe starts from")
    parser.add_argument("--on_bad_image", choices=("error", "skip"), help="what to do with unreadable photos")
    parser.add_argument("--on_leak", choices=("error", "warn"), help="what to do with photos or titles in both splits")
    parser.add_argument("--resume_from_checkpoint", metavar="PATH", help='a checkpoint, or "latest"')
    hub = parser.add_argument_group("the best model on the Hub")
    hub.add_argument("--push_to_hub", action="store_const", const=True, help="push it; the token is that of the login")
    hub.add_argument("--hub_model_id", metavar="ID", help="repository; default: the name of the output folder")
    hub.add_argument("--hub_private", action="store_const", const=True, help="create a private repository")
    hub.add_argument(
        "--hub_strategy",
        choices=("end", "every_save"),
        help="push at the end (default), or also at each checkpoint if the best model has changed",
    )


def run(arguments: argparse.Namespace) -> None:
    """Train the model, or the rest of a run that was stopped.

    Args:
        arguments (`argparse.Namespace`): the parsed options.
    """
    recipe = read_recipe(arguments)  # before the libraries are imported, which takes seconds
    import_module(f"..training.{arguments.model}.train", __package__).train(recipe, arguments.resume_from_checkpoint)


def read_recipe(arguments: argparse.Namespace):
    """Read the recipe, with the changes that the command line makes to it.

    Args:
        arguments (`argparse.Namespace`): the parsed options.
    """
    from ..training.recipes.shipped import find_recipe

    path = find_recipe(arguments.recipe, arguments.model)
    given = {f"{section}.{name}": getattr(arguments, name) for name, section in SHORT.items()}
    # As JSON, which is YAML too: a folder named 2026 is no number.
    changes = [*arguments.set, *(f"{key}={json.dumps(value)}" for key, value in given.items() if value is not None)]
    recipe_class = getattr(
        import_module(f"..training.{arguments.model}.recipe", __package__), RECIPES[arguments.model]
    )
    return recipe_class.read(path, changes)
