import numpy as np
import pytest

from hf_fashion.data.generated.geometry import Pose, bounds, ellipse, mirror, pixel_box


POSE = Pose(centre=(0.5, 0.4), anchor=(0.0, 0.5), scale=0.8, angle=0.3, size=50)


def test_place_turns_scales_and_moves():
    assert POSE.place([(0.0, 0.5)]) == [pytest.approx((25, 20))]
    cos, sin = np.cos(0.3), np.sin(0.3)
    x, y = 0.2, 0.9 - 0.5
    expected = (50 * (0.5 + 0.8 * (x * cos - y * sin)), 50 * (0.4 + 0.8 * (x * sin + y * cos)))
    assert POSE.place([(0.2, 0.9)]) == [pytest.approx(expected)]


def test_the_grid_is_the_way_back():
    across, down = POSE.grid()
    (column, row) = (30, 12)
    point = (across[row, column] / 0.8, down[row, column] / 0.8 + 0.5)
    assert POSE.place([point]) == [pytest.approx((column + 0.5, row + 0.5), abs=1e-3)]


def test_mirror_closes_an_outline():
    right = [(0.1, 0.0), (0.2, 1.0)]
    assert mirror(right) == [(-0.2, 1.0), (-0.1, 0.0)]
    assert mirror(mirror(right)) == right


def test_boxes_are_whole_pixels_around_the_points_and_clipped():
    assert bounds([ellipse((1, 2), (3, 4))]) == pytest.approx((-2, -2, 4, 6), abs=0.05)
    assert pixel_box([[(2.2, 4.0), (9.9, 12.1)]], factor=2, size=20) == (1, 2, 5, 7)
    assert pixel_box([[(-5, 3), (500, 9)]], factor=1, size=20) == (0, 3, 20, 9)
