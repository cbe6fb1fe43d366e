"""Name the parquet file that cannot be read."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pyarrow.parquet as pq


@contextmanager
def named_parquet_errors(paths: Sequence[Path]) -> Iterator[None]:
    """Raise errors of `datasets` and pyarrow inside the block as one sentence that names the file.

    Args:
        paths (`Sequence[Path]`): the parquet files that are read.

    Raises:
        ValueError: a file is damaged, or the files do not have the same columns.
        OSError: a file cannot be opened, or the disk is full.
    """
    try:
        yield
    except MemoryError:
        raise
    except Exception as error:  # `datasets` wraps what happened in errors of its own
        cause = _first_cause(error)
        if isinstance(cause, OSError) and cause.errno is not None:
            raise cause from error
        for path in paths:
            if reason := _damage(path):
                raise ValueError(f"{path} is damaged: {reason}. Write or copy it again") from error
        names = ", ".join(map(str, paths[:5]))
        raise ValueError(f"the parquet files cannot be read together ({names}): {_in_one_line(cause)}") from error


def _damage(path: Path) -> str | None:
    """Return why a file cannot be read to its end."""
    try:
        with pq.ParquetFile(path) as file:
            for _ in file.iter_batches():
                pass
    except Exception as error:
        return _in_one_line(error)
    return None


def _first_cause(error: BaseException) -> BaseException:
    while error.__cause__ is not None:
        error = error.__cause__
    return error


def _in_one_line(error: BaseException) -> str:
    return " ".join(str(error).split()).removesuffix(".") or type(error).__name__
