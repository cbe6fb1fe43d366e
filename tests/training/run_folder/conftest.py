"""The processes of a run: one, on the CPU."""

import pytest
from accelerate import Accelerator


@pytest.fixture
def accelerator(fresh_accelerate):
    accelerator = Accelerator(cpu=True)
    yield accelerator
    accelerator.free_memory()
