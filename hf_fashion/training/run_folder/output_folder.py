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


def is_of_folder(checkpoint: Path | None, output_dir: str | Path) -> bool:
    """Return whether a checkpoint lies in an output folder, and not in that of another run.

    Args:
        checkpoint (`Path`, *optional*): where a run resumes; none lies nowhere.
        output_dir (`str` or `Path`): of the run.
    """
    return checkpoint is not None and checkpoint.resolve().parent == checkpoint_folder(output_dir).resolve()


def require_no_earlier_run(output_dir: str | Path, checkpoint: Path | None = None) -> None:
    """Raise `ValueError` if a folder has checkpoints of another run, with which those of this one would mix.

    Args:
        output_dir (`str` or `Path`): of the run.
        checkpoint (`Path`, *optional*): where the run resumes.
    """
    folder = checkpoint_folder(output_dir)
    if list_checkpoints(folder) and not is_of_folder(checkpoint, output_dir):
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
        ValueError: another run writes to the folder, or has begun to since this one looked for checkpoints; or it has
            checkpoints, and this run resumes from one in another folder.
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
        require_no_earlier_run(output_dir, checkpoint)
        yield
    finally:
        lock.release()  # the file stays: removed, it would let in a run that waits for it next to a new one
