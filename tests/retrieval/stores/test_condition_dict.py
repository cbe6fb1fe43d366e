"""A dict as a filter: what its values mean, and what is refused."""

from datetime import date, datetime, timezone

import pytest

from hf_fashion.retrieval.stores.condition_dict import condition_of_dict
from hf_fashion.retrieval.stores.conditions import Among, Comparison, Contains, Either, Every, Like, Missing
from tests.retrieval.stores.filtered_table import columns


DAY = datetime(2026, 1, 1, tzinfo=timezone.utc)


@pytest.mark.parametrize(
    ("filter", "condition"),
    [
        ({"brand": "x"}, Comparison("brand", "=", "x")),
        ({"brand": ["x", "y"]}, Among("brand", ("x", "y"))),
        ({"brand": ("x",)}, Comparison("brand", "=", "x")),
        ({"brand": None}, Missing("brand")),
        ({"brand": ["x", None]}, Either((Comparison("brand", "=", "x"), Missing("brand")))),
        ({"brand": {"!=": ["x", None]}}, Every((Comparison("brand", "!=", "x"), Missing("brand", negated=True)))),
        ({"brand": {"not in": ["x", "y"]}}, Among("brand", ("x", "y"), negated=True)),
        ({"brand": {"like": "a%"}}, Like("brand", "a%")),
        ({"price": {"<": 50, ">=": 1}}, Every((Comparison("price", "<", 50.0), Comparison("price", ">=", 1.0)))),
        ({"new": True, "stock": 3}, Every((Comparison("new", "=", True), Comparison("stock", "=", 3)))),
        ({"sizes": "M"}, Contains("sizes", "M")),
        ({"sizes": ["M", "L"]}, Either((Contains("sizes", "M"), Contains("sizes", "L")))),
        ({"sizes": None}, Missing("sizes")),
        ({"day": date(2026, 1, 1)}, Comparison("day", "=", DAY)),
        ({"day": "2026-01-01"}, Comparison("day", "=", DAY)),
        ({"added": {">": "2026-01-01T00:00:00"}}, Comparison("added", ">", DAY)),
        ({"seen": {"in": [DAY, "2026-01-01"]}}, Among("seen", (DAY,))),
    ],
)
def test_a_dict_becomes_a_tree(filter, condition):
    assert condition_of_dict(filter, columns()) == condition


@pytest.mark.parametrize(
    ("filter", "message"),
    [
        ({}, "it is empty"),
        ({"brand": {}}, "`brand` has no comparison"),
        ({"brand": []}, "`brand` has an empty list, which no product meets"),
        ({"brand": {"not in": []}}, "`brand` has an empty list"),
        ({"Brand": "x"}, r"there is no column 'Brand' \(did you mean 'brand'\?\)"),
        ({3: "x"}, "its keys are names of columns, got 3"),
        ({"brand": {"lik": "x"}}, r"no comparison 'lik' \(did you mean 'like'\?\)"),
        ({"brand": {"<": ["x", "y"]}}, "is compared with text"),
        ({"brand": {"=": {"=": "x"}}}, "is compared with text"),
        ({"price": "50"}, r"`price` \(double\) is compared with finite numbers, got '50'"),
        ({"price": float("nan")}, "finite numbers, got nan"),
        ({"price": True}, "finite numbers, got true"),
        ({"stock": 1.5}, "whole numbers of its type, got 1.5"),
        ({"new": 1}, "true or false, got 1"),
        ({"day": "tomorrow"}, "Invalid isoformat string: 'tomorrow'"),
        ({"id": None}, "`id` is never missing"),
        ({"brand": {"like": None}}, "LIKE compares text with a pattern"),
    ],
)
def test_what_is_no_filter_is_refused(filter, message):
    with pytest.raises(ValueError, match=message):
        condition_of_dict(filter, columns())
