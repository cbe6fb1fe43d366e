"""Coordinates the processes that fill one gallery: those of `accelerate launch` or torchrun, or a single one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import cache
from typing import Any, TypeVar

import torch.distributed as dist

from ...input_errors import input_error_type


Result = TypeVar("Result")

# The others wait while the main process reads, makes or compacts a large gallery.
PATIENCE = timedelta(hours=6)


class Processes:
    """The number of processes, the index of this one, and messages between them.

    All processes make a `Processes` and call its methods in the same order, because each call waits for the others. A
    single process starts nothing and waits for nobody.
    """

    def __init__(self):
        _join()
        several = dist.is_available() and dist.is_initialized() and dist.get_world_size() > 1
        self._group = _group_for_objects(dist.group.WORLD) if several else None
        self.number = dist.get_world_size() if several else 1
        self.index = dist.get_rank() if several else 0
        self._error: Exception | None = None

    @property
    def is_main(self) -> bool:
        """Whether this is the process that writes and prints."""
        return self.index == 0

    def exchange(self, mine: Any) -> list[Any]:
        """Gather an object of each process, in their order, on all of them.

        Args:
            mine (`Any`): the object of this process; it is pickled.

        Raises:
            ConnectionError: a process has ended.
        """
        if self._group is None:
            return [mine]
        gathered = [None] * self.number
        try:
            dist.all_gather_object(gathered, mine, group=self._group)
        except RuntimeError as error:
            raise ConnectionError(
                f"another of the {self.number} processes has ended or does not answer: see what it printed, and start "
                "all of them again. What was embedded before is kept"
            ) from error
        return gathered

    def attempt(self, function: Callable[..., Result], *arguments: Any) -> Result | None:
        """Call a function and keep its error for [`Processes.agree`]. After an error nothing is called until then.

        Args:
            function (`Callable`): a function.
            arguments (`Any`): its arguments.

        Returns:
            What the function returns, `None` after an error.
        """
        if self._error is None:
            try:
                return function(*arguments)
            except Exception as error:
                self._error = error
        return None

    def agree(self) -> None:
        """Raise in all processes if one of them has failed: in that one its own error, in the others a copy."""
        told = self.exchange(_told(self._error, self.index))
        error, self._error = self._error, None
        if error is not None:
            raise error
        for kind, text in filter(None, told):
            relayed = kind(text)
            relayed.told_by_another = True  # so that the command line prints it once
            raise relayed

    @contextmanager
    def main_first(self) -> Iterator[None]:
        """Run the block in the main process, then in all others. An error of one is raised by all."""
        if not self.is_main:
            self.agree()
        try:
            yield
        except Exception as error:
            self._error = error
        if self.is_main:
            self.agree()
        self.agree()


def _join() -> None:
    """Join the processes that a launcher has started, as `Accelerator()` would."""
    from accelerate import PartialState
    from accelerate.utils import get_cpu_distributed_information, parse_flag_from_env

    launched = get_cpu_distributed_information().world_size  # by their environment, for GPUs too
    if launched == 1 or not dist.is_available() or dist.is_initialized():
        return
    PartialState(cpu=parse_flag_from_env("ACCELERATE_USE_CPU"))
    # Without a GPU and without ACCELERATE_USE_CPU, Accelerate treats each process as the only one.
    if not dist.is_initialized():
        dist.init_process_group("gloo", timeout=PATIENCE)


@cache
def _group_for_objects(world: dist.ProcessGroup) -> dist.ProcessGroup:
    """A second group of the same processes, for objects: NCCL would copy them to the GPU and back."""
    return dist.new_group(backend="gloo", timeout=PATIENCE)


def _told(error: Exception | None, index: int) -> tuple[type[Exception], str] | None:
    """An error as type and text: not every error survives pickling. That of bad input stays one."""
    if error is None:
        return None
    kind = input_error_type(error) or RuntimeError
    return kind, f"process {index} failed with {type(error).__name__}: {error}"
