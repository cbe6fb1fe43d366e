"""Requests are read into queries, or refused before anything is decoded."""

import pytest

from hf_fashion.hub.endpoint.requests import MAX_PHOTO_TEXT, PARAMETERS, EndpointRequest
from tests.hub.endpoint.endpoints import as_png, encoded
from tests.tiny_e2 import tiny_images


PHOTO = tiny_images(1)[0]
CODE = encoded(PHOTO)


@pytest.mark.parametrize(
    ("inputs", "query"),
    [
        (CODE, {"image": CODE}),
        (f"data:image/png;base64,{CODE}", {"image": f"data:image/png;base64,{CODE}"}),
        (PHOTO, {"image": PHOTO}),
        (as_png(PHOTO), {"image": as_png(PHOTO)}),
        ("https://shop.example/1", {"image": "https://shop.example/1"}),  # refused when it is opened
        ("a red dress", {"text": "a red dress"}),
        ("Qk", {"text": "Qk"}),  # as the base64 of a BMP begins
        ({"green shirt": 1, "buttons": -0.5}, {"terms": {"green shirt": 1, "buttons": -0.5}}),
        ({"image": CODE, "text": None, "attribute": "neckline"}, {"image": CODE, "attribute": "neckline"}),
    ],
)
def test_every_form_of_a_query_is_read(inputs, query):
    assert EndpointRequest.read({"inputs": inputs}) == EndpointRequest((query,), True, {})
    several = EndpointRequest.read({"inputs": [inputs, inputs], "parameters": {"top_k": 3}, "options": {}})
    assert several == EndpointRequest((query, query), False, {"top_k": 3})


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (7, "a request is a JSON object with `inputs`"),
        ({"inputs": None}, "a request is a JSON object with `inputs`"),
        ({"inputs": "a", "paramters": {}}, r"a request has no 'paramters' \(did you mean 'parameters'\?\)"),
        ({"inputs": "a", "parameters": []}, r"`parameters` must be an object, got \[\]"),
        ({"inputs": "a", "parameters": {"topk": 3}}, r"`parameters` has no 'topk' \(did you mean 'top_k'\?\)"),
        ({"inputs": ["a"] * 17}, "a list of 1 to 16, got 17"),
        ({"inputs": [["a"]]}, "a query is a photo in base64, a text or a dict"),
        ({"inputs": {}}, "a query must have an image, a text or terms"),
        ({"inputs": {f"term {number}": 1 for number in range(65)}}, "at most 64 terms, got 65"),
        ({"inputs": {"terms": {f"term {number}": 1 for number in range(65)}}}, "at most 64 terms, got 65"),
        ({"inputs": {"terms": {"a" * 10_001: 1}}}, "a text has at most 10,000 characters, got 10,001"),
        ({"inputs": {"image": "/9j/" + "A" * MAX_PHOTO_TEXT}}, "a photo has at most 20 MB"),
        ({"inputs": b"A" * (20 * 2**20 + 1)}, "a photo has at most 20 MB"),
        ({"inputs": {"image": {"bytes": None, "path": "/etc/passwd"}}}, "`image` must be a photo in base64"),
    ],
)
def test_what_is_no_request_is_refused(data, message):
    with pytest.raises(ValueError, match=message):
        EndpointRequest.read(data)


DEEP: dict = {}
for _ in range(5000):
    DEEP = {"a": DEEP}


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("top_k", 0, "a whole number from 1 to 1,000, got 0"),
        ("top_k", True, "a whole number from 1 to 1,000, got True"),
        ("num_candidates", 1001, "a whole number from 1 to 1,000, got 1001"),
        ("num_candidates", 5.0, r"a whole number from 1 to 1,000, got 5\.0"),
        ("threshold", "0.5", "must be a number, got '0.5'"),
        ("group_by", ["brand"], "must be a string"),
        ("attribute", 3, "must be a string, got 3"),
        ("entity", 3, "must be a string, got 3"),
        ("late_interaction", "0.3", "must be a number, got '0.3'"),
        ("change_by", 3, "must be a string, got 3"),
        ("filter", ["price < 5"], "must be a condition in SQL or an object"),
        ("filter", {"brand": ["a" * 100] * 200}, "at most 10,000 characters"),
        ("filter", DEEP, "a condition in SQL or a flat object"),
        ("candidate_labels", "dress, coat", "a list of 1 to 256 texts"),
        ("candidate_labels", ["dress", " "], "texts that are not empty"),
        ("candidate_labels", ["x"] * 257, "a list of 1 to 256 texts"),
        ("candidate_labels", ["x" * 100] * 200, "at most 10,000 characters"),
        ("hypothesis_template", "a {}", "is for `candidate_labels`, and there are none"),
        ("hypothesis_template", "a {0.__class__}", r"must have \{\} once"),
        ("hypothesis_template", "a {} {:>1000000000}", r"must have \{\} once"),
        ("hypothesis_template", "a photo", r"must have \{\} once"),
    ],
)
def test_parameters_are_bounded(name, value, message):
    assert name in PARAMETERS
    with pytest.raises(ValueError, match=f"`{name}`.*{message}"):
        EndpointRequest.read({"inputs": "a dress", "parameters": {name: value}})
