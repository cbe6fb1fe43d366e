"""The output folder of a run: it can be written, and the run has it for itself."""

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from accelerate import Accelerator
from filelock import FileLock, Timeout

from .checkpoints import list_checkpoints


logger = logging.getLogger(__name__)

LOCK = ".run.lock"


def checkpoint_folder(output_dir: str | Path) -> Path:
    """Return the folder of a run's checkpoints.

    Args:
        output_dir (`str` or `Path`): of the run.
    """
    return Path(output_dir) / "checkpoints"


def require_writable(output_dir: str | Path) -> None:
    """Raise if the output folder of a run can be seen to be one that it cannot write, before any work is done.

    Args:
        output_dir (`str` or `Path`): of the run; it need not exist.

    Raises:
        ValueError: it, or the folder that it would be made in, is a file or cannot be written.
    """
    folder = Path(output_dir).absolute()
    there = next(path for path in (folder, *folder.parents) if path.exists())
    if not there.is_dir():
        raise ValueError(
            f"`training.output_dir` is {str(output_dir)!r}, but {there} is a file: choose another folder."
        )
    if not os.access(there, os.W_OK | os.X_OK):
        raise ValueError(
            f"`training.output_dir` is {str(output_dir)!r}, but {there} cannot be written: check its permissions, or "
            "choose another folder."
        )


def require_no_earlier_run(folder: Path) -> None:
    """Raise `ValueError` if a folder has checkpoints, with which those of a new run would mix.

    Args:
        folder (`Path`): from [`checkpoint_folder`].
    """
    if list_checkpoints(folder):
        raise ValueError(
            f"{folder} has checkpoints of an earlier run: resume it (--resume_from_checkpoint latest), remove them, "
            "or choose another `training.output_dir`."
        )


@contextmanager
def folder_of_one_run(accelerator: Accelerator, output_dir: str | Path, checkpoint: Path | None) -> Iterator[None]:
    """Keep other runs from an output folder, by a lock on a file that ends with its process.

    Where a file system has no such locks, a warning says so and the run goes on.

    Args:
        accelerator (`Accelerator`): the processes; the main one holds the lock.
        output_dir (`str` or `Path`): of the run.
        checkpoint (`Path`, *optional*): where the run resumes.

    Raises:
        ValueError: another run writes to the folder, or has begun to since this one looked for checkpoints.
    """
    if not accelerator.is_main_process:
        yield
        return
    Path(output_dir).mkdir(parents=True, exist_ok=True)
    path = Path(output_dir, LOCK)
    lock = FileLock(path, thread_local=False)
    try:
        lock.acquire(timeout=0)
    except Timeout as error:
        raise ValueError(
            f"another run is writing to {output_dir}: wait for it, or choose another `training.output_dir`. If there "
            f"is none, remove {path}."
        ) from error
    except (OSError, NotImplementedError) as error:
        logger.warning("%s cannot be locked (%s): start no second run with this `training.output_dir`.", path, error)
    try:
        if checkpoint is None:
            require_no_earlier_run(checkpoint_folder(output_dir))
        yield
    finally:
        lock.release()  # the file stays: removed, it would let in a run that waits for it next to a new one
