"""Describe the machine and the packages of a run."""

import os
import platform
from typing import Any

import torch

from ...versions import installed_version


PACKAGES = ("hf-fashion", "transformers", "torch", "datasets", "accelerate")


def describe_hardware(device: torch.device, processes: int, precision: str) -> dict[str, Any]:
    """Return device, number of processes and precision, as a card shows them.

    Args:
        device (`torch.device`): of the main process.
        processes (`int`): that train together.
        precision (`str`): `"no"`, `"fp16"` or `"bf16"`.
    """
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else f"CPU, {os.cpu_count()} cores"
    if device.type not in ("cuda", "cpu"):
        name = device.type
    return {
        "device": name,
        "processes": processes,
        "precision": "float32" if precision == "no" else f"mixed, {precision}",
    }


def describe_versions() -> dict[str, str]:
    """Return the versions of Python and of the packages that a run depends on."""
    versions = {name: installed_version(name) or "not installed" for name in PACKAGES}
    return {"Python": platform.python_version(), **versions}
