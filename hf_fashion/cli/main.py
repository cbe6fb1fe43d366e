"""Search fashion from the command line.

    hf-fashion embed --model runs/quickstart/e2/best --corpus photos --gallery my_gallery
    hf-fashion search --model runs/quickstart/e2/best --gallery my_gallery --text "a red dress with stripes"

`hf-fashion COMMAND --help` shows more of each command.
"""

import argparse
import os
import platform
import re
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version

from ..messages import printable
from . import compact, delete, embed, endpoint, evaluate, info, repair, rerank, search, sync


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
    "endpoint": endpoint,
}
# Errors that the library raises for bad input, a missing file or a missing extra.
INPUT_ERRORS = (ValueError, OSError, ImportError)
# How libraries that do not raise an OSError say that a disk is full, or a file as large as it may be.
FULL_DISK = ("No space left on device", "Disk quota exceeded", "File too large", "os error 28", "os error 27")
PACKAGES = ("hf-fashion", "transformers", "datasets", "torch")


def parse_arguments(arguments: list[str] | None = None) -> argparse.Namespace:
    """Parse the command line. `run` of the result is the function of the sub-command.

    Args:
        arguments (`list[str]`, *optional*): those after `hf-fashion`. Default: of this process.
    """
    parser = _described(argparse.ArgumentParser, __doc__, prog="hf-fashion")
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
        `int`: 0; 2 after an error in the input or on a full disk, which is told on stderr; 130 where it
            was stopped by Ctrl-C; 141 where the reader of its output has ended, as `head` does.
    """
    parsed = parse_arguments(arguments)
    with _ctrl_c() as pressed:
        try:
            parsed.run(parsed)
            sys.stdout.flush()  # output that cannot be written is an error here, and not while Python ends
            return 0
        except (Exception, KeyboardInterrupt) as error:
            return _code_of(error, bool(pressed))


def _code_of(error: BaseException, stopped: bool) -> int:
    """Tell of an error in one line, and one for each finding. Return the exit code; raise what is a bug."""
    if stopped or isinstance(error, KeyboardInterrupt):
        return _told("stopped. What is committed is kept", 130)
    if isinstance(error, BrokenPipeError):
        _drop_output()
        return 141
    if not (isinstance(error, INPUT_ERRORS) or _is_full_disk(error)):
        raise error
    _drop_output()
    if getattr(error, "told_by_another", False):  # of several processes that embed together
        return 2
    return _told(f"error: {error}", 2)


@contextmanager
def _ctrl_c() -> Iterator[list[int]]:
    """Note each Ctrl-C in a list: an import that is interrupted may raise an error of its own in its place."""
    pressed: list[int] = []

    def note(number: int, _) -> None:
        pressed.append(number)
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGINT, note)
    try:
        yield pressed
    finally:
        signal.signal(signal.SIGINT, before)


def _told(message: str, code: int) -> int:
    first, *findings = re.split(r"\n(?=    |- )", message)  # problems, and below them as `messages.listed` indents it
    lines = [f"hf-fashion: {printable(first)}"]
    lines += [("" if finding.startswith("- ") else "    ") + printable(finding) for finding in findings]
    print("\n".join(lines), file=sys.stderr, flush=True)
    return code


def _is_full_disk(error: BaseException) -> bool:
    return any(reason in str(error) for reason in FULL_DISK)


def _drop_output() -> None:
    """Drop what cannot be written, such as on a full disk: Python would try again while it ends."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


class _ShowVersions(argparse.Action):
    """Print the versions of the packages, and end."""

    def __call__(self, parser, *_):
        print(*(f"{name} {_version(name)}" for name in PACKAGES), f"Python {platform.python_version()}", sep=", ")
        parser.exit()


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "(not installed)"


def _described(make, text: str, **options) -> argparse.ArgumentParser:
    """A parser that shows a module's docstring with its line breaks."""
    return make(description=text, formatter_class=argparse.RawDescriptionHelpFormatter, **options)


if __name__ == "__main__":
    sys.exit(main())
