"""Random states of a process, for checkpoints: Python, numpy, torch and its device."""

import random
from typing import Any

import numpy as np
import torch


def random_states(device: torch.device) -> dict[str, Any]:
    """Return the random states of this process, as nested plain values and tensors.

    Args:
        device (`torch.device`): device of the process.
    """
    numpy = np.random.get_state(legacy=False)
    states = {"python": random.getstate(), "torch": torch.get_rng_state()}
    states["numpy"] = numpy | {"state": {"key": numpy["state"]["key"].tolist(), "pos": numpy["state"]["pos"]}}
    if device.type != "cpu":
        states[device.type] = torch.get_device_module(device).get_rng_state(device)
    return states


def set_random_states(states: dict[str, Any], device: torch.device) -> None:
    """Set the random states of this process.

    Args:
        states (`dict`): from `random_states`.
        device (`torch.device`): device of the process.

    Raises:
        ValueError: if they are of another kind of device.
    """
    kinds = states.keys() - {"python", "numpy", "torch"}
    if kinds != {device.type} - {"cpu"}:
        there = ", ".join(sorted(kinds)) or "cpu"
        raise ValueError(
            f"the checkpoint has random states of the device {there}, this run is on {device.type}: it would draw "
            "other numbers. Resume on the same kind of device"
        )
    random.setstate(states["python"])
    np.random.set_state(states["numpy"])
    torch.set_rng_state(states["torch"])
    if device.type != "cpu":
        torch.get_device_module(device).set_rng_state(states[device.type], device)
