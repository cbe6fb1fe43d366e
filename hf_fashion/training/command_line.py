"""The command line that all training scripts share, and how they end."""

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from safetensors import SafetensorError

from .recipe_file import Read


# Errors that the library raises for bad input, a missing file or extra, a damaged model, a full disk.
INPUT_ERRORS = (ValueError, OSError, ImportError, SafetensorError)
RESUME = "--resume_from_checkpoint latest goes on from its last checkpoint."


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
    parser.add_argument(
        "--set", nargs="+", action="extend", default=[], metavar="SECTION.KEY=VALUE", help="changes to the recipe"
    )
    parser.add_argument("--output_dir", help="short for --set training.output_dir=...")
    parser.add_argument("--on_bad_image", choices=["error", "skip"], help="what to do with unreadable photos")
    parser.add_argument("--on_leak", choices=["error", "warn"], help="what to do with photos or titles in both splits")
    parser.add_argument("--resume_from_checkpoint", metavar="PATH", help='a checkpoint, or "latest"')
    parsed = parser.parse_args(arguments)
    short = {"training.output_dir": parsed.output_dir}
    short |= {"data.on_bad_image": parsed.on_bad_image, "data.on_leak": parsed.on_leak}
    changes = [*parsed.set, *(f"{key}={value}" for key, value in short.items() if value is not None)]
    return recipe_class.read(parsed.recipe, changes), parsed.resume_from_checkpoint


def run_script(main: Callable[[], None], continued_by: str = "") -> None:
    """Run a script. An error in its input ends it with code 2, Ctrl-C with 130: both with a message, no traceback.

    Args:
        main (`Callable`): the script.
        continued_by (`str`, *optional*): what to do to go on after Ctrl-C.
    """
    name = Path(sys.argv[0]).name
    try:
        main()
    except INPUT_ERRORS as error:
        print(f"{name}: error: {error}", file=sys.stderr, flush=True)
        sys.exit(2)
    except KeyboardInterrupt:
        print(f"\n{name}: stopped. {continued_by}".rstrip(), file=sys.stderr, flush=True)
        sys.exit(130)
