"""Queries of every form."""

from collections import deque
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
import torch
from datasets import Dataset

from hf_fashion.embedding.queries import FashionQuery, holds_several
from tests.tiny_e2 import tiny_images


PHOTO = tiny_images(1)[0]


@pytest.mark.parametrize(
    ("short", "fields"),
    [
        (PHOTO, {"image": PHOTO}),
        (Path("photos/1"), {"image": Path("photos/1")}),
        (b"encoded", {"image": b"encoded"}),
        (BytesIO(b"encoded"), {"image": b"encoded"}),
        (np.array(PHOTO), {"image": PHOTO}),
        ({"bytes": b"encoded", "path": "1.jpg"}, {"image": b"encoded"}),
        ("photos/1.JPG", {"image": "photos/1.JPG"}),
        ("https://shop.example/1", {"image": "https://shop.example/1"}),
        ("data:image/png;base64,iVBORw0KGgo=", {"image": "data:image/png;base64,iVBORw0KGgo="}),
        ("a red dress", {"terms": {"a red dress": 1.0}}),
        ({"text": "a red dress"}, {"terms": {"a red dress": 1.0}}),
        ({"text": "photo.jpg"}, {"terms": {"photo.jpg": 1.0}}),
        ({"green shirt": 1, "buttons": -0.5}, {"terms": {"green shirt": 1, "buttons": -0.5}}),
        ({"image": PHOTO, "attribute": "neckline"}, {"image": PHOTO, "attribute": "neckline"}),
        ({"image": "photos/1", "text": None, "attribute": None}, {"image": "photos/1"}),
    ],
)
def test_short_forms_stand_for_the_long_one(short, fields):
    assert FashionQuery.read(short) == FashionQuery(**fields)


def test_parts_of_the_long_form_are_read():
    query = FashionQuery.read({"image": PHOTO, "terms": {"blue": 1, "buttons": -0.5}, "image_weight": 0.3})
    assert query == FashionQuery(PHOTO, {"blue": 1, "buttons": -0.5}, 0.3)


@pytest.mark.parametrize(
    ("query", "message"),
    [
        (3, "must be an image, a string or a dict, got int"),
        ({"imge": PHOTO}, r"no 'imge' \(did you mean 'image'\?\): its keys are image, text, terms"),
        ({"image": PHOTO, "weight": 2}, "no 'weight'"),
        ({"blue": 1, "buttons": "no"}, "no 'blue'"),
        ({}, "must have an image, a text or terms"),
        ({"image": None}, "must have an image, a text or terms"),
        ({"image_weight": 1.0}, "must have an image, a text or terms"),
        ({"text": "a", "terms": {"b": 1}}, "`text` or `terms`, got both"),
        ("  ", "a string that is not empty"),
        ({"terms": {3: 1.0}}, "a string that is not empty, got 3"),
        ({"image": 3}, "a photo must be one of PIL, bytes, .* got int"),
        ({"image": PHOTO, "attribute": 3}, "`attribute` must be a string, got int"),
        ({"image": PHOTO, "entity": 3}, "`entity` must be a string, got int"),
        (Dataset.from_dict({"a": ["a dress"]}), r'got Dataset. Of a table, .* name the column: dataset\["image"\]'),
        ({"text": PHOTO}, "`text` must be a string, got Image"),
        ({"terms": ["blue"]}, "`terms` must be a dict of texts and their weights, got list"),
        ({"blue": float("nan")}, "the weight of 'blue' must be a finite number, at most 3.4e38, got nan"),
        ({"blue": float("-inf")}, "the weight of 'blue' must be a finite number, at most 3.4e38, got -inf"),
        ({"blue": 10**400}, "the weight of 'blue' must be a finite number, at most 3.4e38, got 1000"),
        ({"text": "a", "image_weight": 0.3}, "`image_weight` 0.3 is the weight of a photo, and the query has none"),
        (
            {"image": PHOTO, "image_weight": "2"},
            "the weight of 'image_weight' must be a finite number, at most 3.4e38, got '2'",
        ),
    ],
)
def test_other_forms_are_refused(query, message):
    with pytest.raises(ValueError, match=message):
        FashionQuery.read(query)


@pytest.mark.parametrize(
    ("inputs", "several"),
    [
        (["a dress"], True),
        ((PHOTO, "a dress"), True),
        ([], True),
        (deque(["a dress"]), True),
        (iter(["a dress"]), True),
        (Dataset.from_dict({"text": ["a dress"]})["text"], True),
        (np.zeros((2, 8, 8, 3), np.uint8), True),
        (torch.zeros(2, 3, 8, 8), True),
        (np.array(["a dress", PHOTO], dtype=object), True),
        (np.zeros((8, 8, 3), np.uint8), False),
        (torch.zeros(3, 8, 8), False),
        (PHOTO, False),
        ("a dress", False),
        (b"encoded", False),
        (BytesIO(b"encoded"), False),
        ({"a dress": 1}, False),
        (Dataset.from_dict({"text": ["a dress"]}), False),
        (3, False),
    ],
)
def test_several_queries_are_told_from_one(inputs, several):
    assert holds_several(inputs) is several
