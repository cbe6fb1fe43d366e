"""Load what others made without a question: their code runs only where that was allowed beforehand."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from transformers import AutoProcessor, BaseImageProcessor, ProcessorMixin, dynamic_module_utils


_LOCK = threading.RLock()


def load_processor(path_or_id: str | Path, **kwargs: Any) -> ProcessorMixin | BaseImageProcessor:
    """Load a processor. Code of its own runs only with `trust_remote_code=True`; nobody is asked.

    Args:
        path_or_id (`str` or `Path`): a folder or the id of a model on the Hub.
        kwargs (`Any`): as for `AutoProcessor.from_pretrained`.

    Raises:
        OSError: there is none.
        ValueError: it cannot be loaded, or brings code that is not trusted.
    """
    with _nobody_asked():
        return AutoProcessor.from_pretrained(path_or_id, **{"trust_remote_code": False} | kwargs)


@contextmanager
def _nobody_asked() -> Iterator[None]:
    """Let transformers raise where it would ask on the terminal.

    `AutoProcessor` does not pass `trust_remote_code` on to the image processor of a model whose folder does not name
    its processor's class, and that then asks.
    """
    with _LOCK:
        seconds, dynamic_module_utils.TIME_OUT_REMOTE_CODE = dynamic_module_utils.TIME_OUT_REMOTE_CODE, 0
        try:
            yield
        finally:
            dynamic_module_utils.TIME_OUT_REMOTE_CODE = seconds
