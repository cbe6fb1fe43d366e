"""Draw curves and bars as pictures, with Pillow only."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from PIL import Image, ImageDraw

from ..messages import printable
from .fonts import font_for


BACKGROUND, INK, GRID = "white", (40, 40, 40), (224, 224, 224)
# Dark blue, orange, green, purple: told apart in grey, and by people who do not see red and green.
COLOURS = ((33, 102, 172), (230, 126, 34), (27, 120, 80), (118, 42, 131))
CHANCE = (150, 150, 150)
WIDTH, PLOT_HEIGHT = 720, 220
LEFT, RIGHT, TOP, BOTTOM = 64, 16, 30, 34
BAR, GAP, LABELS = 14, 10, 190
MAX_SERIES = len(COLOURS)


class Curve(NamedTuple):
    """Name a curve and its points.

    Args:
        name (`str`): shown in the legend.
        points (`Sequence[tuple[float, float]]`): (x, y), by rising x.
    """

    name: str
    points: Sequence[tuple[float, float]]


def draw_curves(plots: Mapping[str, Sequence[Curve]], x_label: str) -> Image.Image:
    """Draw plots below each other, each with a title, its own scale and at most four curves.

    Args:
        plots (`Mapping[str, Sequence[Curve]]`): title -> its curves; each has a point.
        x_label (`str`): what is on the horizontal axis.

    Raises:
        ValueError: there is no plot, or a plot has no curve, too many, or one without points.
    """
    for title, curves in plots.items():
        if not 0 < len(curves) <= MAX_SERIES or not all(curve.points for curve in curves):
            raise ValueError(f"plot {title!r}: 1 to {MAX_SERIES} curves with points, got {len(curves)}")
    if not plots:
        raise ValueError("`plots` must hold a plot")
    height = TOP + PLOT_HEIGHT + BOTTOM
    picture = Image.new("RGB", (WIDTH, height * len(plots)), BACKGROUND)
    for place, (title, curves) in enumerate(plots.items()):
        _draw_plot(ImageDraw.Draw(picture), place * height, title, curves, x_label)
    return picture


def draw_bars(rows: Mapping[str, Mapping[str, float]], title: str) -> Image.Image:
    """Draw shares as horizontal bars from 0 to 100 %, a group of bars for each row; chance is grey.

    Args:
        rows (`Mapping[str, Mapping[str, float]]`): label -> series -> share in [0, 1]. Rows may lack a series.
        title (`str`): above the bars.

    Raises:
        ValueError: there are no rows, too many series, or a share outside [0, 1].
    """
    series = list(dict.fromkeys(name for row in rows.values() for name in row))
    if not rows or len(series) - ("chance" in series) > MAX_SERIES:
        raise ValueError(f"`rows` must have 1 to {MAX_SERIES} series next to chance, got {series}")
    wrong = [
        f"{label}: {name} {share}" for label, row in rows.items() for name, share in row.items() if not 0 <= share <= 1
    ]
    if wrong:
        raise ValueError(f"shares must lie in [0, 1], got {'; '.join(wrong)}")
    height = TOP + sum(len(row) * BAR + GAP for row in rows.values()) + BOTTOM
    picture = Image.new("RGB", (WIDTH, height), BACKGROUND)
    draw = ImageDraw.Draw(picture)
    colours = _colours(series)
    _write(draw, (LEFT - 56, 8), title)
    _draw_legend(draw, 8, colours)
    _draw_share_grid(draw, height)
    top = TOP
    for label, row in rows.items():
        _write(draw, (8, top + (len(row) * BAR - 12) // 2), _shortened(label, LABELS - 16))
        for name, share in row.items():
            _draw_bar(draw, top, share, colours[name])
            top += BAR
        top += GAP
    return picture


def _draw_plot(draw: ImageDraw.ImageDraw, top: int, title: str, curves: Sequence[Curve], x_label: str) -> None:
    colours = _colours([curve.name for curve in curves])
    xs, ys = ([point[axis] for curve in curves for point in curve.points] for axis in (0, 1))
    across, up = _scale(min(xs), max(xs)), _scale(min(ys), max(ys))
    _write(draw, (8, top + 8), title)
    _draw_legend(draw, top + 8, colours)
    for tick in up:
        y = _place(tick, up, top + TOP + PLOT_HEIGHT, top + TOP)
        draw.line((LEFT, y, WIDTH - RIGHT, y), GRID)
        _write(draw, (LEFT - 8, y - 7), f"{tick:g}", "ra")
    for tick in across:
        x = _place(tick, across, LEFT, WIDTH - RIGHT)
        _write(draw, (x, top + TOP + PLOT_HEIGHT + 4), f"{tick:,g}", "ma")
    _write(draw, (WIDTH - RIGHT, top + TOP + PLOT_HEIGHT + 18), x_label, "ra")
    for curve in curves:
        line = [
            (_place(x, across, LEFT, WIDTH - RIGHT), _place(y, up, top + TOP + PLOT_HEIGHT, top + TOP))
            for x, y in curve.points
        ]
        draw.line(line, colours[curve.name], 2, joint="curve")
        for x, y in line if len(line) <= 40 else []:
            draw.ellipse((x - 3, y - 3, x + 3, y + 3), colours[curve.name])


def _draw_share_grid(draw: ImageDraw.ImageDraw, height: int) -> None:
    for tick in range(0, 101, 20):
        x = _place(tick, (0, 100), LABELS, WIDTH - 56)
        draw.line((x, TOP, x, height - BOTTOM), GRID)
        _write(draw, (x, height - BOTTOM + 4), f"{tick} %", "ma")


def _draw_bar(draw: ImageDraw.ImageDraw, top: int, share: float, colour: tuple[int, int, int]) -> None:
    right = _place(share, (0, 1), LABELS, WIDTH - 56)
    draw.rectangle((LABELS, top + 1, max(right, LABELS + 1), top + BAR - 2), colour)
    _write(draw, (right + 6, top), f"{100 * share:.1f}")


def _draw_legend(draw: ImageDraw.ImageDraw, top: int, colours: Mapping[str, tuple[int, int, int]]) -> None:
    right = WIDTH - RIGHT
    for name, colour in reversed(colours.items()):
        text = _shortened(name, 150)
        right -= round(font_for(text).getlength(text)) + 18
        draw.rectangle((right, top + 1, right + 10, top + 11), colour)
        _write(draw, (right + 14, top), text)
        right -= 8


def _colours(series: Sequence[str]) -> dict[str, tuple[int, int, int]]:
    models = [name for name in series if name != "chance"]
    return {name: CHANCE if name == "chance" else COLOURS[models.index(name)] for name in series}


def _scale(low: float, high: float) -> tuple[float, ...]:
    """Round numbers from at most the lowest to at least the highest value."""
    if high <= low:
        low, high = low - abs(low) / 2 - 0.5 * (low == 0), high + abs(high) / 2 + 0.5 * (high == 0)
    rough = (high - low) / 5
    power = 10 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough)
    first, last = math.floor(low / step), math.ceil(high / step)
    return tuple(round(number * step, 12) for number in range(first, last + 1))


def _place(value: float, scale: Sequence[float], start: int, end: int) -> float:
    return start + (value - scale[0]) / (scale[-1] - scale[0]) * (end - start)


def _shortened(text: str, width: int) -> str:
    text = printable(text)
    font = font_for(text)
    while font.getlength(text) > width:
        text = text.removesuffix("...")[:-1] + "..."
    return text


def _write(draw: ImageDraw.ImageDraw, place: tuple[float, float], text: str, anchor: str = "la") -> None:
    draw.text(place, text, INK, font_for(text), anchor)
