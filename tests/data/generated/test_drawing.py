from dataclasses import replace

import numpy as np
import pytest

from hf_fashion.data.generated.drawing import draw_product
from hf_fashion.data.generated.look import Look


LOOK = Look("t-shirt", "blue", "plain", "Quillby", "winter", "short", "round", "straight", "left chest")
OTHER = {
    "brand": "Almerick",
    "season": "summer",
    "neckline": "v",
    "hem": "banded",
    "sleeve": "sleeveless",
    "pattern": "dotted",
}


def draw(look, seed=0, size=96):
    image, boxes = draw_product(look, size, np.random.default_rng(seed))
    return np.asarray(image, dtype=float), boxes


@pytest.mark.parametrize("entity", ["brand", "season", "neckline", "pattern"])
def test_another_attribute_changes_the_pixels_in_its_box_and_only_there(entity):
    # These attributes do not change the pose, so two drawings of one seed differ only in the attribute.
    (one, first), (two, second) = draw(LOOK), draw(replace(LOOK, **{entity: OTHER[entity]}))
    changed = np.abs(one - two).max(axis=-1) > 12  # (H, W)
    x0, y0 = np.minimum(first[entity], second[entity])[:2] - 1
    x1, y1 = np.maximum(first[entity], second[entity])[2:] + 1
    rows, columns = np.nonzero(changed)
    slack = 2 if entity != "pattern" else 30  # the sleeves carry the pattern too; its box is the trunk's
    assert changed.sum() > 20
    assert rows.min() >= y0 - slack and rows.max() < y1 + slack
    assert columns.min() >= x0 - slack and columns.max() < x1 + slack


def test_the_box_of_a_mark_holds_its_ink():
    for seed in range(5):
        image, boxes = draw(replace(LOOK, colour="green"), seed)
        x0, y0, x1, y1 = boxes["brand"]
        reddish = (image[..., 0] > 130) & (image[..., 1] < 110) & (image[..., 2] < 110)
        marked, _ = draw(replace(LOOK, colour="green", brand="Almerick"), seed)
        star = (marked[..., 0] > 150) & (marked[..., 1] < 90) & (marked[..., 2] < 90)
        rows, columns = np.nonzero(star & ~reddish)
        assert len(rows) > 10
        assert x0 <= columns.min() and columns.max() < x1 and y0 <= rows.min() and rows.max() < y1


def test_boxes_scale_with_the_image():
    _, small = draw(LOOK, size=64)
    _, large = draw(LOOK, size=128)
    for entity, box in small.items():
        np.testing.assert_allclose(np.array(box) * 2, large[entity], atol=2)


def test_skirts_have_neither_sleeves_nor_neck():
    _, boxes = draw(Look("skirt", "red", "checked", "Lumaro", "spring", None, None, "scalloped", "hem"))
    assert boxes["sleeve"] is None
    assert boxes["neckline"] is None
    assert boxes["hem"] is not None
