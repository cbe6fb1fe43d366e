"""Curves and bars are drawn to scale, with their names; what cannot be drawn is refused."""

import numpy as np
import pytest

from hf_fashion.reports.charts import CHANCE, COLOURS, Curve, draw_bars, draw_curves


def pixels(picture, colour) -> np.ndarray:
    """Return row and column of the pixels of a colour, (N, 2)."""
    return np.argwhere((np.asarray(picture) == colour).all(-1))


def test_a_rising_curve_rises():
    points = pixels(draw_curves({"loss": [Curve("loss", [(0, 0.0), (100, 1.0)])]}, "updates"), COLOURS[0])
    line = points[points[:, 0] > 30]  # below the legend
    left, right = line[line[:, 1] < 200][:, 0].mean(), line[line[:, 1] > 500][:, 0].mean()
    assert left > right + 80


def test_plots_are_below_each_other():
    one = [Curve("a", [(1, 2.0)]), Curve("b", [(1, 2.0), (2, -3.0)])]
    assert draw_curves({"x": one, "y": one}, "updates").height == 2 * draw_curves({"x": one}, "updates").height


@pytest.mark.parametrize("points", [[(5, 0.0)], [(1, 3.0), (2, 3.0)], [(1, 1e-9), (2, 1e9)], [(0, -1.0), (0, -1.0)]])
def test_odd_ranges_are_drawn(points):
    assert len(pixels(draw_curves({"x": [Curve("a", points)]}, "updates"), COLOURS[0])) > 120


def test_bars_are_as_long_as_their_shares():
    picture = draw_bars({"neckline": {"IPAD": 1.0, "ASEN": 0.5, "chance": 0.25}}, "MAP")
    long, half, quarter = (
        np.ptp(found[found[:, 0] > 30][:, 1]) for found in (pixels(picture, c) for c in (*COLOURS[:2], CHANCE))
    )
    assert long > 400 and abs(half - long / 2) < 2 and abs(quarter - long / 4) < 2


@pytest.mark.parametrize("plots", [{}, {"x": []}, {"x": [Curve("a", [])]}, {"x": [Curve("a", [(1, 1.0)])] * 5}])
def test_plots_that_cannot_be_drawn_are_refused(plots):
    with pytest.raises(ValueError, match="plot"):
        draw_curves(plots, "updates")


@pytest.mark.parametrize(
    "rows", [{}, {"a": {"x": 1.2}}, {"a": {"x": float("nan")}}, {"a": dict.fromkeys("vwxyz", 0.1)}]
)
def test_bars_that_cannot_be_drawn_are_refused(rows):
    with pytest.raises(ValueError, match=r"rows|shares"):
        draw_bars(rows, "MAP")
