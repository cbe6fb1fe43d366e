"""Brand marks and season signs: layers of polygons within the unit circle."""

import numpy as np

from .geometry import Polygon, ellipse
from .vocabulary import BRANDS, SEASONS


Colour = tuple[int, int, int]
Layers = list[tuple[Polygon, Colour]]

PAPER, EDGE = (250, 250, 246), (40, 40, 44)
RED, BLUE, GREEN, BLACK, AMBER, VIOLET = (
    (214, 30, 38),
    (24, 84, 214),
    (14, 138, 62),
    (20, 20, 24),
    (240, 140, 0),
    (140, 40, 170),
)


def _star(points: int, inner: float, outer: float = 0.8) -> Polygon:
    turns = np.arange(2 * points) / (2 * points) * 2 * np.pi - np.pi / 2
    radii = np.where(np.arange(2 * points) % 2 == 0, outer, inner)
    return list(zip((radii * np.cos(turns)).tolist(), (radii * np.sin(turns)).tolist(), strict=True))


def _rectangle(x0: float, y0: float, x1: float, y1: float) -> Polygon:
    return [(x0, y0), (x1, y0), (x1, y1), (x0, y1)]


def _heart() -> Polygon:
    t = np.linspace(0, 2 * np.pi, 33)
    x, y = 16 * np.sin(t) ** 3, -(13 * np.cos(t) - 5 * np.cos(2 * t) - 2 * np.cos(3 * t) - np.cos(4 * t))
    return list(zip((x / 22).tolist(), (y / 22).tolist(), strict=True))


_ROUND = [(ellipse((0, 0), (1, 1)), EDGE), (ellipse((0, 0), (0.88, 0.88)), PAPER)]
_SQUARE = [(_rectangle(-0.88, -0.88, 0.88, 0.88), EDGE), (_rectangle(-0.76, -0.76, 0.76, 0.76), PAPER)]
_PLUS = [(a, b) for a, b in [(-0.22, -0.7), (0.22, -0.7), (0.22, -0.22), (0.7, -0.22), (0.7, 0.22), (0.22, 0.22)]]
_PLUS += [(0.22, 0.7), (-0.22, 0.7), (-0.22, 0.22), (-0.7, 0.22), (-0.7, -0.22), (-0.22, -0.22)]

_INKS: list[Layers] = [
    [*_ROUND, (_star(5, 0.34), RED)],
    [*_SQUARE, (_rectangle(-0.6, -0.6, 0.6, -0.28), BLUE), (_rectangle(-0.6, 0.02, 0.6, 0.34), BLUE)],
    [*_ROUND, ([(0, -0.68), (0.62, 0.45), (-0.62, 0.45)], GREEN)],
    [*_SQUARE, (ellipse((0, 0), (0.6, 0.6)), BLACK), (ellipse((0, 0), (0.28, 0.28)), PAPER)],
    [*_ROUND, (_star(2, 0.52, 0.76), AMBER)],
    [*_SQUARE, (_heart(), VIOLET)],
    [*_ROUND, (ellipse((0, 0), (0.68, 0.68)), BLUE), (ellipse((0.3, -0.12), (0.5, 0.5)), PAPER)],
    [*_SQUARE, (_PLUS, RED)],
    [*_ROUND, ([(-0.5, -0.58), (0.5, -0.58), (-0.5, 0.58), (0.5, 0.58)], BLACK)],
    [*_SQUARE, ([(0.15, -0.7), (-0.5, 0.15), (-0.05, 0.15), (-0.2, 0.72), (0.5, -0.15), (0.05, -0.15)], AMBER)],
    [*_ROUND, (_rectangle(-0.5, -0.5, -0.14, 0.5), VIOLET), (_rectangle(0.14, -0.5, 0.5, 0.5), VIOLET)],
    [*_SQUARE, (_rectangle(-0.76, -0.76, 0.0, 0.0), GREEN), (_rectangle(0.0, 0.0, 0.76, 0.76), GREEN)],
]
MARKS: dict[str, Layers] = dict(zip(BRANDS, _INKS, strict=True))


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
