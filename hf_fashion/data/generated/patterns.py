"""Draw fabric patterns as levels on a grid: 0 the garment's colour, 2 the contrast colour, 1 half way."""

import numpy as np


def pattern_levels(pattern: str, across: np.ndarray, down: np.ndarray, period: float) -> np.ndarray:
    """
    Return the colour level of every point of the cloth.

    Args:
        pattern (`str`): a word of `PATTERNS`.
        across (`np.ndarray` of shape `(H, W)`): coordinates of the points across the cloth.
        down (`np.ndarray` of shape `(H, W)`): coordinates of the points down the cloth.
        period (`float`): width of one repeat, in the same unit.

    Returns:
        `np.ndarray` of shape `(H, W)`: uint8 in {0, 1, 2}.
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
    """Return the position within one repeat, in [0, 1)."""
    return values - np.floor(values)
