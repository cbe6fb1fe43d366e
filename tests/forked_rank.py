"""Run `python ARGUMENTS` in each process that torchrun forks, as if it had started it."""

import signal
import sys

from tests.warm_processes import run_arguments


# A fork inherits those of the launcher.
signal.signal(signal.SIGTERM, signal.SIG_DFL)
signal.signal(signal.SIGINT, signal.default_int_handler)
try:
    run_arguments(sys.argv[1:])
except SystemExit as end:
    if end.code:  # else the launcher waits for what this script returns
        raise
