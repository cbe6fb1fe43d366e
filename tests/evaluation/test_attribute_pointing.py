"""Peaks of attention against true boxes, by hand and followed through the image processor."""

import pytest
import torch
from datasets import Features, List, Value

from hf_fashion.data.column_map import ColumnMap
from hf_fashion.evaluation.attribute_pointing import PRIMARY_METRIC, cell_boxes, evaluate_pointing
from tests.evaluation.attributes import LookUp, image_processor, shades


MAP = ColumnMap(attributes={"hem": "hem_label", "neck": "neck_label"})
BOXES = [
    {"hem": [0, 4, 8, 8], "neck": [0, 0, 4, 4]},
    {"hem": [0, 4, 8, 8], "neck": None},
    {"hem": [0, 4, 3, 6], "neck": None},
    None,
]
# A grid of 2 x 2 cells; hem is the model's attribute 2, neck its 0.
PEAKS = {(0, 2): 3, (0, 0): 0, (1, 2): 1, (2, 2): 2}


@pytest.fixture
def corpus():
    feature = Features({"boxes": {name: List(Value("int32")) for name in ("hem", "neck")}})["boxes"]
    return shades([None] * 4, [None] * 4).add_column("boxes", BOXES, feature=feature)


@pytest.fixture
def model():
    maps = torch.zeros(4, 3, 2, 2)
    for (row, attribute), cell in PEAKS.items():
        maps[row, attribute].view(-1)[cell] = 0.7
    return LookUp(torch.zeros(4, 3, 1), maps)


def test_cells_are_counted_row_by_row():
    assert cell_boxes((2, 3), (8, 9)).tolist() == [
        [0, 0, 3, 4],
        [3, 0, 6, 4],
        [6, 0, 9, 4],
        [0, 4, 3, 8],
        [3, 4, 6, 8],
        [6, 4, 9, 8],
    ]


def test_metrics_by_hand(corpus, model):
    """Hem: right, wrong, and a cell that overlaps its box (centre at 2, 6, on its border)."""
    results = evaluate_pointing(model, image_processor(), corpus, MAP, batch_size=2)
    assert results["hem_num_images"] == 3 and results["neck_num_images"] == 1
    assert results["hem_centre_inside"] == pytest.approx(2 / 3)
    assert results["hem_centre_inside_chance"] == pytest.approx((2 / 4 + 2 / 4 + 1 / 4) / 3)
    assert results["hem_centre_inside_ceiling"] == results["neck_centre_inside"] == 1
    assert results[PRIMARY_METRIC] == pytest.approx((2 / 3 + 1) / 2)
    assert results[f"{PRIMARY_METRIC}_chance"] == pytest.approx((5 / 12 + 1 / 4) / 2)
    assert results[f"{PRIMARY_METRIC}_ceiling"] == 1


def test_boxes_follow_the_photo(corpus, model):
    """Twice as large and cut to its middle, a box of the whole lower half loses its cells' centres to none."""
    processor = image_processor(size={"shortest_edge": 16})
    results = evaluate_pointing(model, processor, corpus, MAP)
    assert results["hem_centre_inside"] == pytest.approx(2 / 3)
    # The neck's box, 0 to 8 of 16, shows its corner from 4 to 8: the first cell of the crop.
    assert results["neck_centre_inside"] == 1 and results["neck_centre_inside_chance"] == 1 / 4


def test_what_is_missing_is_named(corpus, model):
    with pytest.raises(ValueError, match="no column 'places' of true boxes"):
        evaluate_pointing(model, image_processor(), corpus, MAP, boxes_column="places")
    with pytest.raises(ValueError, match=r"no attribute of the model.*has a box"):
        evaluate_pointing(model, image_processor(), corpus, ColumnMap(attributes={"cuff": "hem_label"}))
    model.maps = None
    with pytest.raises(ValueError, match="returns `attention_maps`"):
        evaluate_pointing(model, image_processor(), corpus, MAP)
