import numpy as np
import pytest

from hf_fashion.data.generated.patterns import pattern_levels
from hf_fashion.data.generated.vocabulary import PATTERNS


down, across = np.mgrid[0:4:0.05, 0:4:0.05]


@pytest.mark.parametrize("pattern", PATTERNS)
def test_levels_are_palette_indices_and_the_ground_colour_leads(pattern):
    levels = pattern_levels(pattern, across, down, period=1.0)
    assert levels.shape == across.shape and levels.dtype == np.uint8
    assert set(np.unique(levels)) <= {0, 1, 2}
    assert (levels < 2).mean() > 0.55
    assert (pattern == "plain") == (levels.max() == 0)


def test_stripes_run_the_way_their_name_says():
    striped, pinstriped = (pattern_levels(name, across, down, 1.0) for name in ("striped", "pinstriped"))
    assert (striped == striped[:, :1]).all()
    assert (pinstriped == pinstriped[:1]).all()


def test_patterns_repeat():
    for pattern in ("striped", "pinstriped", "dotted", "checked"):
        levels = pattern_levels(pattern, across + 1e-6, down + 1e-6, period=1.0)
        assert (levels[:40] == levels[40:]).all(), pattern
        assert (levels[:, :40] == levels[:, 40:]).all(), pattern
