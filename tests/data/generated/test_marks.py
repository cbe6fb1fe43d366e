from itertools import combinations

import numpy as np
from PIL import Image, ImageDraw

from hf_fashion.data.generated.marks import MARKS, SEASON_SIGNS
from hf_fashion.data.generated.vocabulary import BRANDS, SEASONS


def picture(layers, size=10):
    """The mark as it is seen in a photo of 64 pixels."""
    canvas = Image.new("RGB", (size * 8, size * 8), (128, 128, 128))
    for polygon, colour in layers:
        ImageDraw.Draw(canvas).polygon([((x + 1) * size * 4, (y + 1) * size * 4) for x, y in polygon], fill=colour)
    return np.asarray(canvas.reduce(8), dtype=float)


def test_every_brand_and_season_has_a_sign_within_the_unit_square():
    assert set(MARKS) == set(BRANDS) and set(SEASON_SIGNS) == set(SEASONS)
    for layers in (*MARKS.values(), *SEASON_SIGNS.values()):
        assert np.abs(np.concatenate([polygon for polygon, _ in layers])).max() <= 1.1


def test_marks_differ_at_the_size_they_are_drawn():
    pictures = {name: picture(layers) for name, layers in MARKS.items()}
    for first, second in combinations(pictures, 2):
        assert np.abs(pictures[first] - pictures[second]).mean() > 12, (first, second)
