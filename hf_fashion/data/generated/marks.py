"""Brand marks and season signs: layers of polygons within the unit circle."""

import numpy as np

from .geometry import Polygon, ellipse, rectangle
from .vocabulary import BRANDS, SEASONS


Colour = tuple[int, int, int]
Layers = list[tuple[Polygon, Colour]]

PAPER, EDGE = (250, 250, 246), (40, 40, 44)
# A brand's own colour, on a plate large enough to be read at 64 px.
INKS = (
    *((206, 24, 36), (28, 78, 216), (16, 128, 62), (24, 24, 28), (250, 130, 0), (120, 36, 168)),
    *((20, 160, 200), (232, 50, 140), (150, 200, 30), (250, 205, 20), (110, 64, 28), (0, 70, 84)),
)


def _star(points: int, inner: float, outer: float = 0.8) -> Polygon:
    turns = np.arange(2 * points) / (2 * points) * 2 * np.pi - np.pi / 2
    radii = np.where(np.arange(2 * points) % 2 == 0, outer, inner)
    return list(zip((radii * np.cos(turns)).tolist(), (radii * np.sin(turns)).tolist(), strict=True))


def _heart() -> Polygon:
    t = np.linspace(0, 2 * np.pi, 33)
    x, y = 16 * np.sin(t) ** 3, -(13 * np.cos(t) - 5 * np.cos(2 * t) - 2 * np.cos(3 * t) - np.cos(4 * t))
    return list(zip((x / 30).tolist(), (y / 30).tolist(), strict=True))


_ROUND = (ellipse((0, 0), (1, 1)), ellipse((0, 0), (0.9, 0.9)), ellipse((0, 0), (0.78, 0.78)))
_SQUARE = tuple(rectangle(-side, -side, side, side) for side in (0.9, 0.81, 0.7))
_PLUS = [(-0.18, -0.55), (0.18, -0.55), (0.18, -0.18), (0.55, -0.18), (0.55, 0.18), (0.18, 0.18)]
_PLUS += [(-x, -y) for x, y in _PLUS]
_BOLT = [(0.12, -0.58), (-0.42, 0.12), (-0.04, 0.12), (-0.16, 0.6), (0.42, -0.12), (0.04, -0.12)]
_GLYPHS: list[list[Polygon]] = [
    [_star(5, 0.26, 0.62)],
    [rectangle(-0.45, -0.4, 0.45, -0.12), rectangle(-0.45, 0.12, 0.45, 0.4)],
    [[(0, -0.55), (0.5, 0.36), (-0.5, 0.36)]],
    [ellipse((0, 0), (0.42, 0.42))],
    [_star(2, 0.4, 0.6)],
    [_heart()],
    [rectangle(-0.6, -0.14, 0.6, 0.14)],
    [_PLUS],
    [[(-0.42, -0.48), (0.42, -0.48), (-0.42, 0.48), (0.42, 0.48)]],
    [_BOLT],
    [rectangle(-0.4, -0.45, -0.1, 0.45), rectangle(0.1, -0.45, 0.4, 0.45)],
    [rectangle(-0.7, -0.7, 0.0, 0.0), rectangle(0.0, 0.0, 0.7, 0.7)],
]


def _mark(number: int) -> Layers:
    """Return a plate with a dark rim, a light ring and the brand's colour, and its sign in white."""
    rim, ring, plate = (_ROUND, _SQUARE)[number % 2]
    signs = [(polygon, PAPER) for polygon in _GLYPHS[number]]
    return [(rim, EDGE), (ring, PAPER), (plate, INKS[number]), *signs]


MARKS: dict[str, Layers] = {brand: _mark(number) for number, brand in enumerate(BRANDS)}


def _petals(count: int, distance: float, radius: float, colour: Colour) -> Layers:
    turns = np.arange(count) / count * 2 * np.pi
    return [(ellipse((distance * np.cos(a), distance * np.sin(a)), (radius, radius)), colour) for a in turns]


def _arms(count: int, colour: Colour) -> Layers:
    """Return a snowflake: arms through the middle, each with a cross bar near its end."""
    arm = [(-0.09, 0), (-0.09, 0.9), (0.09, 0.9), (0.09, 0)]
    bar = [(-0.3, 0.5), (-0.3, 0.66), (0.3, 0.66), (0.3, 0.5)]
    turns = np.arange(count) / count * 2 * np.pi
    return [(_turn(shape, a), colour) for a in turns for shape in (arm, bar)]


def _turn(points: Polygon, angle: float) -> Polygon:
    cos, sin = float(np.cos(angle)), float(np.sin(angle))
    return [(x * cos - y * sin, x * sin + y * cos) for x, y in points]


_LEAF = [(0, -0.95), (0.5, -0.45), (0.6, 0.05), (0.35, 0.5), (0, 0.65), (-0.35, 0.5), (-0.6, 0.05), (-0.5, -0.45)]
_SIGNS: list[Layers] = [
    [*_petals(6, 0.55, 0.36, (240, 110, 170)), (ellipse((0, 0), (0.36, 0.36)), (250, 214, 70))],
    [(_star(10, 0.6, 1.0), (250, 150, 20)), (ellipse((0, 0), (0.56, 0.56)), (255, 206, 40))],
    [
        (_turn(_LEAF, 0.6), (196, 84, 24)),
        (_turn([(-0.05, -0.6), (0.05, -0.6), (0.05, 1), (-0.05, 1)], 0.6), (120, 46, 10)),
    ],
    _arms(6, (50, 130, 214)),
]
SEASON_SIGNS: dict[str, Layers] = dict(zip(SEASONS, _SIGNS, strict=True))
