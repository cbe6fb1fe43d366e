"""The command line that all training scripts share."""

import argparse
from collections.abc import Sequence

from .recipe_file import Read


def read_command_line(
    recipe_class: type[Read], description: str, arguments: Sequence[str] | None = None
) -> tuple[Read, str | None]:
    """Read the recipe, with the changes that the command line makes to it, and the checkpoint to resume from.

    Args:
        recipe_class (`type`): the class of the recipe.
        description (`str`): what the script does, for `--help`.
        arguments (`Sequence[str]`, *optional*): words of the command line; by default those of this process.

    Returns:
        `tuple[RecipeFile, str | None]`: the recipe; a checkpoint's path, `"latest"` or `None`.

    Raises:
        ValueError: if the recipe has an unknown key or a value that is not allowed.
    """
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("recipe", help="YAML file, see training/recipes/README.md")
    parser.add_argument("--set", nargs="+", default=[], metavar="SECTION.KEY=VALUE", help="changes to the recipe")
    parser.add_argument("--output_dir", help="short for --set training.output_dir=...")
    parser.add_argument("--on_bad_image", choices=["error", "skip"], help="what to do with unreadable photos")
    parser.add_argument("--on_leak", choices=["error", "warn"], help="what to do with photos or titles in both splits")
    parser.add_argument("--resume_from_checkpoint", metavar="PATH", help='a checkpoint, or "latest"')
    parsed = parser.parse_args(arguments)
    short = {"training.output_dir": parsed.output_dir}
    short |= {"data.on_bad_image": parsed.on_bad_image, "data.on_leak": parsed.on_leak}
    changes = [*parsed.set, *(f"{key}={value}" for key, value in short.items() if value is not None)]
    return recipe_class.read(parsed.recipe, changes), parsed.resume_from_checkpoint
