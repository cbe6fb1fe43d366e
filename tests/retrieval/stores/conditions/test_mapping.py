"""Mappings become trees, column by column."""

import pytest

from hf_fashion.retrieval.stores.conditions.columns import FilterColumns
from hf_fashion.retrieval.stores.conditions.mapping import condition_from_mapping
from hf_fashion.retrieval.stores.conditions.tree import And, ArrayHasAny, Comparison, IsNull, Like, OneOf
from tests.retrieval.stores.filtered_rows import TYPES


COLUMNS = FilterColumns(TYPES)


@pytest.mark.parametrize(
    ("filter", "expected"),
    [
        ({"brand": "Acme"}, [Comparison("brand", "=", "Acme")]),
        ({"BRAND": ["Acme", "Lumaro"]}, [OneOf("brand", ("Acme", "Lumaro"))]),
        ({"brand": ("Acme",)}, [OneOf("brand", ("Acme",))]),
        ({"brand": None}, [IsNull("brand")]),
        ({"brand": {"!=": None}}, [IsNull("brand", negated=True)]),
        ({"brand": {"!=": "Acme"}}, [Comparison("brand", "!=", "Acme")]),
        ({"brand": {"!=": ["Acme"]}}, [OneOf("brand", ("Acme",), negated=True)]),
        ({"brand": {"=": "Acme"}}, [Comparison("brand", "=", "Acme")]),
        ({"brand": {"like": "A%"}}, [Like("brand", "A%")]),
        ({"new": False}, [Comparison("new", "=", False)]),
        ({"sizes": "M"}, [ArrayHasAny("sizes", ("M",))]),
        ({"sizes": ["M", "L"]}, [ArrayHasAny("sizes", ("M", "L"))]),
        ({"sizes": {"!=": "M"}}, [ArrayHasAny("sizes", ("M",), negated=True)]),
        ({"sizes": None}, [IsNull("sizes")]),
        (
            {"price": {">=": 10, "<": 50}, "new": True},
            [Comparison("price", ">=", 10.0), Comparison("price", "<", 50.0), Comparison("new", "=", True)],
        ),
    ],
)
def test_a_mapping_becomes_a_tree(filter, expected):
    assert condition_from_mapping(filter, COLUMNS) == And(tuple(expected))


def test_an_empty_mapping_filters_nothing():
    assert condition_from_mapping({}, COLUMNS) is None


@pytest.mark.parametrize(
    ("filter", "message"),
    [
        ({"bramd": "x"}, r"there is no column `bramd` \(did you mean 'brand'\?\)"),
        ({5: "x"}, "there is no column `5`"),
        ({"vector_0": None}, "there is no column `vector_0`"),
        ({"brand": []}, "a list for `brand` must have from 1 to 10,000 values, got 0"),
        ({"brand": ["x", None]}, "`brand` .* got None"),
        ({"brand": {}}, "`brand` has an empty mapping"),
        ({"brand": {"~": "x"}}, r"`brand` must have operators out of \('=', '!=', .*, got '~'"),
        ({"brand": {("=",): "x"}}, r"got \('=',\)"),
        ({"price": "50"}, "finite numbers, got '50'"),
        ({"price": {"<": None}}, "finite numbers, got None"),
        ({"price": {"<": [1, 2]}}, r"finite numbers, got \[1, 2\]"),
        ({"sizes": {"<": "M"}}, "holds lists"),
        ({"sizes": [["M"]]}, r"with text .*, got \['M'\]"),
        ({"brand": {"like": "x_"}}, "LIKE takes no _ at the end"),
        ({"stock": True}, "finite numbers, got True"),
        ({"id": None}, "`id` is never missing"),
        ({"brand": {"=": {"=": "x"}}}, "with text .*, got {'=': 'x'}"),
    ],
)
def test_what_is_not_a_filter_is_refused(filter, message):
    with pytest.raises(ValueError, match=message):
        condition_from_mapping(filter, COLUMNS)
