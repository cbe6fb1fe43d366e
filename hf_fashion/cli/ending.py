"""How commands and scripts end: an error in the input, Ctrl-C or a full disk is a line and an exit code."""

import os
import re
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from ..files import is_full_disk
from ..input_errors import input_error_type
from ..messages import printable


def run_command(run: Callable[[], None], name: str = "hf-fashion", stopped: str = "") -> int:
    """Run a command or a script, and return its exit code; errors in its input are told on stderr, without traceback.

    Args:
        run (`Callable`): the command.
        name (`str`, *optional*, defaults to `"hf-fashion"`): its name, before each message.
        stopped (`str`, *optional*): what remains after Ctrl-C, or what to do to go on.

    Returns:
        `int`: 0; 2 after an error in the input or on a full disk; 130 where it was stopped by Ctrl-C; 141 where the
            reader of its output has ended, as `head` does.
    """
    with _ctrl_c() as pressed:
        try:
            run()
            sys.stdout.flush()  # output that cannot be written is an error here, and not while Python ends
            return 0
        except (Exception, KeyboardInterrupt) as error:
            if pressed or isinstance(error, KeyboardInterrupt):
                return _told(f"{name}: stopped. {stopped}".rstrip(), 130)
            return _code_of(error, name)


def _code_of(error: Exception, name: str) -> int:
    """Tell of an error in one line, and one for each finding. Return the exit code; raise what is a bug."""
    if isinstance(error, BrokenPipeError):
        _drop_output()
        return 141
    if not (input_error_type(error) or is_full_disk(error)):
        raise error
    _drop_output()
    if getattr(error, "told_by_another", False):  # of several processes that embed together
        return 2
    return _told(f"{name}: error: {error}", 2)


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
    lines = [printable(first)]
    lines += [("" if finding.startswith("- ") else "    ") + printable(finding) for finding in findings]
    print("\n".join(lines), file=sys.stderr, flush=True)
    return code


def _drop_output() -> None:
    """Drop what cannot be written, such as on a full disk: Python would try again while it ends."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
