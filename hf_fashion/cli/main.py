"""Search fashion from the command line.

    hf-fashion embed --model runs/quickstart/e2/best --corpus photos --gallery my_gallery
    hf-fashion search --model runs/quickstart/e2/best --gallery my_gallery --text "a red dress with stripes"

`hf-fashion COMMAND --help` shows more of each command.
"""

import argparse
import sys

from . import compact, delete, embed, evaluate, info, repair, rerank, search, sync


COMMANDS = {
    "embed": embed,
    "search": search,
    "rerank": rerank,
    "evaluate": evaluate,
    "sync": sync,
    "delete": delete,
    "info": info,
    "compact": compact,
    "repair": repair,
}
# Errors that the library raises for bad input, a missing file or a missing extra.
INPUT_ERRORS = (ValueError, OSError, ImportError)


def parse_arguments(arguments: list[str] | None = None) -> argparse.Namespace:
    """Parse the command line. `run` of the result is the function of the sub-command.

    Args:
        arguments (`list[str]`, *optional*): those after `hf-fashion`. Default: of this process.
    """
    parser = _described(argparse.ArgumentParser, __doc__, prog="hf-fashion")
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
        `int`: 0, or 2 after an error in the input, which is printed on stderr in one line.
    """
    parsed = parse_arguments(arguments)
    try:
        parsed.run(parsed)
    except INPUT_ERRORS as error:
        if not getattr(error, "told_by_another", False):  # of several processes that embed together
            print(f"hf-fashion: error: {' '.join(str(error).split())}", file=sys.stderr, flush=True)
        return 2
    return 0


def _described(make, text: str, **options) -> argparse.ArgumentParser:
    """A parser that shows a module's docstring with its line breaks."""
    return make(description=text, formatter_class=argparse.RawDescriptionHelpFormatter, **options)


if __name__ == "__main__":
    sys.exit(main())
