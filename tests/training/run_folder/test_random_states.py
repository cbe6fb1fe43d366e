"""Random states of a process: all draws go on where they were."""

import random

import numpy as np
import pytest
import torch

from hf_fashion.training.run_folder.random_states import random_states, set_random_states


CPU = torch.device("cpu")


def draws() -> list[float]:
    return [random.random(), np.random.normal(), np.random.rand(), torch.rand(()).item(), random.gauss(0, 1)]


def test_draws_are_repeated():
    draws()
    states = random_states(CPU)
    expected = draws()
    draws()
    set_random_states(states, CPU)
    assert draws() == expected


def test_states_of_another_device_are_refused():
    with pytest.raises(ValueError, match="random states of the device cuda, this run is on cpu"):
        set_random_states(random_states(CPU) | {"cuda": torch.get_rng_state()}, CPU)


def test_a_missing_state_is_an_error():
    states = random_states(CPU)
    del states["numpy"]
    with pytest.raises(KeyError, match="numpy"):
        set_random_states(states, CPU)
