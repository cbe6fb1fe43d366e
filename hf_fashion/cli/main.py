"""Train models and search fashion from the command line.

    hf-fashion train e2 e2_quickstart
    hf-fashion embed --model runs/quickstart/e2/best --corpus photos --gallery my_gallery
    hf-fashion search --model runs/quickstart/e2/best --gallery my_gallery --text "a red dress with stripes"

`hf-fashion COMMAND --help` shows more of each command.
"""

import argparse
import os
import platform
import sys

from ..versions import installed_version
from . import (
    add_attribute,
    add_spaces,
    audit,
    caption,
    card,
    compact,
    convert,
    delete,
    embed,
    endpoint,
    evaluate,
    export,
    info,
    push,
    recipes,
    repair,
    rerank,
    search,
    sync,
    train,
)
from .arguments import CommandParser
from .ending import run_command
from .output import hide_notes_of_torchao


COMMANDS = {
    "train": train,
    "audit": audit,
    "recipes": recipes,
    "convert": convert,
    "embed": embed,
    "search": search,
    "rerank": rerank,
    "evaluate": evaluate,
    "caption": caption,
    "export": export,
    "card": card,
    "sync": sync,
    "add-attribute": add_attribute,
    "add-spaces": add_spaces,
    "delete": delete,
    "push": push,
    "info": info,
    "compact": compact,
    "repair": repair,
    "endpoint": endpoint,
}
PACKAGES = ("hf-fashion", "transformers", "datasets", "torch")


def parse_arguments(arguments: list[str] | None = None) -> argparse.Namespace:
    """Parse the command line. `run` of the result is the function of the sub-command.

    Args:
        arguments (`list[str]`, *optional*): those after `hf-fashion`. Default: of this process.
    """
    parser = _described(CommandParser, __doc__, prog="hf-fashion")
    parser.set_defaults(stopped="What is committed is kept")
    parser.add_argument("--version", action=_ShowVersions, nargs=0, help="show versions, as a bug report needs them")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    for name, module in COMMANDS.items():
        line = module.__doc__.splitlines()[0]
        command = _described(commands.add_parser, module.__doc__, name=name, help=line[0].lower() + line[1:-1])
        module.add_arguments(command)
        command.set_defaults(run=module.run)
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> int:
    """Run a sub-command.

    Args:
        arguments (`list[str]`, *optional*): those after `hf-fashion`. Default: of this process.

    Returns:
        `int`: the exit code of [`run_command`].
    """
    # Pillow reads it when it is first imported. A large photo is then memory of its own, which goes back at once;
    # pieces of 16 MB, the default, stay with the thread that decoded it.
    os.environ.setdefault("PILLOW_BLOCK_SIZE", "64m")
    hide_notes_of_torchao()
    parsed = parse_arguments(arguments)
    return run_command(lambda: parsed.run(parsed), stopped=parsed.stopped)


class _ShowVersions(argparse.Action):
    """Print the versions of the packages, and end."""

    def __call__(self, parser, *_):
        versions = (f"{name} {installed_version(name) or '(not installed)'}" for name in PACKAGES)
        print(*versions, f"Python {platform.python_version()}", sep=", ")
        parser.exit()


def _described(make, text: str, **options) -> argparse.ArgumentParser:
    """A parser that shows a module's docstring with its line breaks."""
    return make(description=text, formatter_class=argparse.RawDescriptionHelpFormatter, **options)


if __name__ == "__main__":
    sys.exit(main())
