"""Queries of every form."""

from pathlib import Path

import pytest

from hf_fashion.embedding.queries import FashionQuery
from tests.tiny_e2 import tiny_images


PHOTO = tiny_images(1)[0]


@pytest.mark.parametrize(
    ("short", "fields"),
    [
        (PHOTO, {"image": PHOTO}),
        (Path("photos/1"), {"image": "photos/1"}),
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
        ({"text": PHOTO}, "`text` must be a string, got Image"),
        ({"terms": ["blue"]}, "`terms` must be a dict of texts and their weights, got list"),
        ({"blue": float("nan")}, "the weight of 'blue' must be a finite number, got nan"),
        ({"image": PHOTO, "image_weight": "2"}, "the weight of 'image_weight' must be a finite number, got '2'"),
    ],
)
def test_other_forms_are_refused(query, message):
    with pytest.raises(ValueError, match=message):
        FashionQuery.read(query)
