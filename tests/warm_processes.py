"""Start Python in processes that have imported the libraries before, which takes five seconds everywhere else.

Each is forked from a server of this test run, so all have one seed of hashes: what must not depend on the order of a
set is tested in a process of its own, and so is what a library reads when it is imported.
"""

import multiprocessing
import os
import runpy
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch.multiprocessing

from tests.conftest import REPOSITORY


LIBRARIES = ["hf_fashion.training.e2.train", "hf_fashion.training.attribute.train"]
LIBRARIES += ["hf_fashion.training.feature_reasoning.train", "hf_fashion.embedding.encoder", "hf_fashion.cli.main"]
LIBRARIES += ["hf_fashion.hub.cards.rendering", "transformers.models.clip.modeling_clip", "torch.distributed.run"]
WRITTEN_BY_GRADIO = "HF_HUB_DISABLE_TELEMETRY"  # into the variables of a process that imports it
READ_BY_IMPORTS = ("HF_", "HUGGINGFACE_", "TRANSFORMERS_", "OMP_", "MKL_")


def _read_by_imports(environment: dict[str, str]) -> dict[str, str]:
    read = (name for name in environment if name.startswith(READ_BY_IMPORTS))
    return {name: environment[name] for name in read if name != WRITTEN_BY_GRADIO}


_BEFORE = _read_by_imports(os.environ)


class WarmProcess:
    """Run `python ARGUMENTS` in a warm process: what tests use of `subprocess.Popen`, by the same names.

    Args:
        arguments (`list[str]`): after `python`: `-c CODE`, `-m MODULE` or the path of a script, and what these take.
        cwd (`Path`, *optional*): the folder that it works in. Default: the repository.
        environment (`dict[str, str]`, *optional*): variables besides those of this process.
        stdin (`str`, *optional*, defaults to `""`): what it reads.
    """

    def __init__(
        self, arguments: list[str], cwd: Path = REPOSITORY, environment: dict[str, str] | None = None, stdin: str = ""
    ):
        variables = os.environ | (environment or {})
        assert _read_by_imports(variables) == _BEFORE, "libraries have read their variables: use a process of its own"
        self.args, self.returncode = arguments, None
        self._streams = [tempfile.NamedTemporaryFile("r+") for _ in range(3)]  # noqa: SIM115 (as long as this)
        self._streams[0].write(stdin)
        self._streams[0].flush()
        names = [stream.name for stream in self._streams]
        given = (list(map(str, arguments)), str(cwd), dict(variables), names)
        self._process = _server().Process(target=_run, args=given)
        self._process.start()
        self.pid = self._process.pid

    def poll(self) -> int | None:
        self.returncode = self._process.exitcode
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        self._process.join(timeout)
        if self.poll() is None:
            self.send_signal(signal.SIGKILL)
            raise subprocess.TimeoutExpired(self.args, timeout)
        return self.returncode

    def communicate(self, timeout: float | None = None) -> tuple[str, str]:
        self.wait(timeout)
        return tuple(Path(stream.name).read_text() for stream in self._streams[1:])

    def send_signal(self, number: int) -> None:
        os.kill(self.pid, number)


def run_warm(
    arguments: list[str], cwd: Path = REPOSITORY, environment: dict[str, str] | None = None, stdin: str = ""
) -> subprocess.CompletedProcess:
    """Run `python ARGUMENTS` to its end in a warm process.

    Args:
        arguments (`list[str]`): as of [`WarmProcess`].
        cwd (`Path`, *optional*): as of [`WarmProcess`].
        environment (`dict[str, str]`, *optional*): as of [`WarmProcess`].
        stdin (`str`, *optional*, defaults to `""`): as of [`WarmProcess`].
    """
    process = WarmProcess(arguments, cwd, environment, stdin)
    printed = process.communicate(timeout=180)
    return subprocess.CompletedProcess(arguments, process.returncode, *printed)


def run_ranks(function: Callable[..., None], *arguments: object) -> None:
    """Call `function(rank, *arguments)` in two warm processes.

    Args:
        function (`Callable`): a function of a module, which ends with [`end_rank`].
        arguments (`object`): its other arguments.
    """
    _server()
    torch.multiprocessing.start_processes(function, arguments, nprocs=2, start_method="forkserver")


def end_rank() -> None:
    """End a process of a group, when all are here, without taking anything apart.

    A DistributedDataParallel that is freed holds the GIL while Gloo's thread ends, and this thread may wait for it to
    free the tensors of the last call: now and then the process would wait for ever.
    """
    torch.distributed.barrier()
    os._exit(0)


def torchrun(*arguments: str) -> list[str]:
    """Return arguments that run `python ARGUMENTS` in two processes, forked from the launcher.

    Args:
        arguments (`str`): as of [`WarmProcess`].
    """
    launcher = ["-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2"]
    script = Path(__file__).with_name("forked_rank.py")
    return [*launcher, "--start-method", "fork", "--run-path", str(script), *arguments]


def run_arguments(arguments: list[str]) -> None:
    """Do what `python ARGUMENTS` does, in this process.

    Args:
        arguments (`list[str]`): as of [`WarmProcess`].
    """
    if arguments[0] not in ("-c", "-m"):
        sys.argv = arguments
        runpy.run_path(arguments[0], run_name="__main__")
        return
    option, code, *others = arguments
    sys.argv = [option, *others]
    sys.path.insert(0, os.getcwd())
    if option == "-c":
        exec(compile(code, "<string>", "exec"), {"__name__": "__main__"})
    else:
        runpy.run_module(code, run_name="__main__", alter_sys=True)


def _run(arguments: list[str], cwd: str, environment: dict[str, str], streams: list[str]) -> None:
    """What a warm process does."""
    for number, (stream, mode) in enumerate(zip(streams, ("r", "w", "w"), strict=True)):
        with open(stream, mode) as file:
            os.dup2(file.fileno(), number)
    sys.stdin = open(0, closefd=False)  # noqa: SIM115 (as long as the process)
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(cwd)
    np.random.seed()
    run_arguments(arguments)


def _server() -> multiprocessing.context.ForkServerContext:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(LIBRARIES)
    return context
