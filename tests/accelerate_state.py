"""Accelerate's state, which all accelerators of a process share: fresh for a test, and gone after it."""

from collections.abc import Callable, Iterator

import pytest
from accelerate.state import AcceleratorState, GradientState


def reset_accelerate() -> None:
    """Forget devices, precision and accumulation of all accelerators of this process."""
    AcceleratorState._reset_state(reset_partial_state=True)
    GradientState._reset_state()


@pytest.fixture
def fresh_accelerate(monkeypatch) -> Iterator[Callable[[], None]]:
    """Let a test train in this process, on the CPU; yield what lets it start again."""
    monkeypatch.setenv("ACCELERATE_USE_CPU", "true")
    reset_accelerate()
    yield reset_accelerate
    reset_accelerate()
