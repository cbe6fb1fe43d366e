"""Place points and boxes of garments. Garment units: x from the middle line, y from the top down, about 1 high."""

from dataclasses import dataclass

import numpy as np


Polygon = list[tuple[float, float]]
Box = tuple[int, int, int, int]


@dataclass(frozen=True)
class Pose:
    """
    Pose of a garment in an image.

    Args:
        centre (`tuple[float, float]`): middle of the garment in the image, as fractions of its side.
        anchor (`tuple[float, float]`): the same point in garment units.
        scale (`float`): image sides a garment unit.
        angle (`float`): rotation in radians.
        size (`int`): side of the image in pixels.
    """

    centre: tuple[float, float]
    anchor: tuple[float, float]
    scale: float
    angle: float
    size: int

    def place(self, points: Polygon) -> list[tuple[float, float]]:
        """Convert points from garment units to pixels."""
        cos, sin = np.cos(self.angle), np.sin(self.angle)
        offsets = (np.asarray(points, dtype=float) - self.anchor) * self.scale  # (P, 2)
        turned = offsets @ np.array([[cos, sin], [-sin, cos]])  # (P, 2)
        return [tuple(point) for point in ((turned + self.centre) * self.size).tolist()]

    def grid(self) -> tuple[np.ndarray, np.ndarray]:
        """Return each pixel's place across and down the garment, in image sides from the anchor: two (S, S) arrays."""
        cos, sin = float(np.cos(self.angle)), float(np.sin(self.angle))
        steps = ((np.arange(self.size) + 0.5) / self.size).astype(np.float32)
        x, y = steps[None, :] - float(self.centre[0]), steps[:, None] - float(self.centre[1])
        return x * cos + y * sin, y * cos - x * sin


def mirror(points: Polygon) -> Polygon:
    """Mirror points at the middle line, in reverse order, so that outline + mirror is a closed outline."""
    return [(-x, y) for x, y in reversed(points)]


def rectangle(x0: float, y0: float, x1: float, y1: float) -> Polygon:
    """Return the corners of a rectangle between two opposite ones."""
    return [(x0, y0), (x1, y0), (x1, y1), (x0, y1)]


def ellipse(centre: tuple[float, float], radii: tuple[float, float], start: float = 0.0, stop: float = 1.0) -> Polygon:
    """Return points of an ellipse from `start` to `stop`, in turns clockwise from the right."""
    turns = np.linspace(start, stop, 25) * 2 * np.pi
    return list(zip(centre[0] + radii[0] * np.cos(turns), centre[1] + radii[1] * np.sin(turns), strict=True))


def bounds(polygons: list[Polygon]) -> tuple[float, float, float, float]:
    """Return the bounds (x0, y0, x1, y1) of all points."""
    points = np.concatenate([np.asarray(polygon, dtype=float) for polygon in polygons])
    return (*points.min(axis=0).tolist(), *points.max(axis=0).tolist())


def pixel_box(polygons: list[Polygon], factor: float, size: int) -> Box:
    """
    Return the box of polygons in whole pixels: x0, y0 inside, x1, y1 the first outside, clipped to the image.

    Args:
        polygons (`list[Polygon]`): polygons in canvas pixels.
        factor (`float`): canvas pixels a pixel of the image.
        size (`int`): side of the image in pixels.
    """
    x0, y0, x1, y1 = (value / factor for value in bounds(polygons))
    low = [int(np.clip(np.floor(value), 0, size - 1)) for value in (x0, y0)]
    high = [int(np.clip(np.ceil(value), 1, size)) for value in (x1, y1)]
    return (low[0], low[1], high[0], high[1])
