"""Fabric patterns as levels on a grid: 0 the garment's colour, 2 the contrast colour, 1 half way."""

import numpy as np


def pattern_levels(pattern: str, across: np.ndarray, down: np.ndarray, period: float) -> np.ndarray:
    """
    Which colour every point of the cloth has.

    Args:
        pattern (`str`): a word of `PATTERNS`.
        across, down (`np.ndarray`): (H, W) coordinates of the points on the cloth.
        period (`float`): width of one repeat, in the same unit.

    Returns:
        `np.ndarray` (H, W) of uint8 in {0, 1, 2}.
    """
    u, v = across / period, down / period
    if pattern == "plain":
        return np.zeros(u.shape, dtype=np.uint8)
    if pattern == "checked":
        return (_phase(u) < 0.5).astype(np.uint8) + (_phase(v) < 0.5)
    inked = {
        "striped": lambda: _phase(v) < 0.38,
        "pinstriped": lambda: _phase(u) < 0.38,
        "dotted": lambda: (_phase(u + np.floor(v) / 2) - 0.5) ** 2 + (_phase(v) - 0.5) ** 2 < 0.33**2,
        "zigzag": lambda: _phase((v + np.abs(_phase(u / 1.6) - 0.5) * 1.6) / 1.3) < 0.38,
    }[pattern]()
    return inked.astype(np.uint8) * 2


def _phase(values: np.ndarray) -> np.ndarray:
    """Place within one repeat, in [0, 1)."""
    return values - np.floor(values)
