"""Columns of metadata: NaN is a missing value, and nothing is cut off or converted silently."""

import datetime
import math

import numpy as np
import pyarrow as pa
import pytest

from hf_fashion.retrieval.gallery import Gallery
from hf_fashion.retrieval.metadata_column import cleaned, to_column
from tests.retrieval.galleries import SPACES, filled, ids, metadata, vectors


NAN, INFINITE = math.nan, math.inf
DAY = datetime.date(2026, 2, 28)


@pytest.mark.parametrize(
    ("kind", "values", "expected"),
    [
        (pa.float64(), [1.5, NAN, None], [1.5, None, None]),
        (pa.float64(), np.array([1.5, NAN]), [1.5, None]),
        (pa.float16(), [NAN, 0.5], [None, 0.5]),
        (pa.int64(), [1, NAN], [1, None]),
        (pa.string(), ["a", NAN], ["a", None]),
        (pa.bool_(), [True, NAN], [True, None]),
        (pa.date32(), [DAY, NAN], [DAY, None]),
        (pa.list_(pa.float32()), [[0.5, NAN], [NAN], [], None], [[0.5, None], [None], [], None]),
        (pa.list_(pa.float32()), [np.array([0.5, NAN])], [[0.5, None]]),
        (pa.list_(pa.int64()), [[1, NAN], NAN], [[1, None], None]),
        (pa.list_(pa.string()), [["a", NAN]], [["a", None]]),
        (pa.list_(pa.list_(pa.float64())), [[[NAN, 1.0]]], [[[None, 1.0]]]),
    ],
)
def test_nan_is_a_missing_value(kind, values, expected):
    column = to_column(pa.field("price", kind), values)
    assert column.type == kind and column.to_pylist() == expected


@pytest.mark.parametrize(
    "kind", [pa.float16(), pa.float64(), pa.list_(pa.float32()), pa.string(), pa.list_(pa.int8())]
)
def test_a_column_of_a_file_is_cleaned_like_values(kind):
    several, number = pa.types.is_list(kind), pa.types.is_floating(kind) or kind == pa.list_(pa.float32())
    one, missing = (0.5, NAN) if number else (("a" if kind == pa.string() else 1), None)
    rows = [[one, missing], None] if several else [one, missing, None]
    column = cleaned(pa.field("price", kind), pa.chunked_array([pa.array(rows, kind), pa.array(rows, kind)]))
    assert column.type == kind
    assert column.to_pylist() == ([[one, None], None] if several else [one, None, None]) * 2


@pytest.mark.parametrize(
    ("kind", "values", "message"),
    [
        (pa.float64(), [1.0, NAN, INFINITE], "must hold finite numbers of double, row 2 is inf"),
        (pa.float64(), [-INFINITE], "row 0 is -inf"),
        (pa.float32(), [0.0, 1e300], "must hold finite numbers of float, row 1 is inf"),
        (pa.float16(), [INFINITE], "row 0 is inf"),
        (pa.list_(pa.float64()), [None, [1.0, None, INFINITE]], "row 1 is"),
        (pa.int64(), [1.0, NAN, 1.5], r"row 2 is 1\.5, whose fraction would be lost"),
        (pa.list_(pa.int64()), [[1], [NAN, 1.5]], r"row 1 is \[nan, 1\.5\], whose fraction would be lost"),
        (
            pa.int64(),
            ["49", "nan", "on request"],
            r"row 2 is the text 'on request'\. One cell that is no number makes a column",
        ),
        (pa.bool_(), ["true"], r"row 0 is 'true': "),
        (pa.float64(), ["x"], r"`metadata\['price'\]` must hold double or None"),
        (pa.list_(pa.string()), [["red"], "blue"], r"row 1 is 'blue', which is no list"),
        (pa.date32(), [DAY, datetime.datetime(2026, 2, 28, 18, 30)], r"row 1 is .*, whose time of day would be lost"),
        (pa.struct([("a", pa.float64())]), [{"a": 1.0}, {"a": INFINITE}], "must hold finite numbers of .*, row 1 is"),
        (pa.map_(pa.string(), pa.float64()), [[("a", INFINITE)]], "must hold finite numbers of .*, row 0 is"),
        (pa.uint16(), [1, -1], r"must hold uint16 or None.*row 1 is -1: .*negative"),
        (pa.int64(), [1, 2**70], r"must hold int64 or None.*row 1 is 1180591620717411303424: "),
        (pa.string(), ["a", "\ud83d"], r"must hold string or None.*row 1 is '\\ud83d': .*surrogates not allowed"),
    ],
)
def test_what_would_be_lost_is_refused(kind, values, message):
    with pytest.raises(ValueError, match=message):
        to_column(pa.field("price", kind), values)


def test_infinite_numbers_of_a_file_are_refused():
    with pytest.raises(ValueError, match=r"`metadata\['price'\]` must hold finite numbers"):
        cleaned(pa.field("price", pa.float64()), pa.chunked_array([pa.array([1.0, INFINITE])]))


@pytest.mark.usefixtures("either_search")
def test_a_product_without_a_price_meets_no_condition_on_it(place):
    gallery = filled(place, 3)
    gallery.add(["p003"], vectors(1), metadata(1) | {"price": [NAN]})
    query = vectors(1)["neckline"]
    found = {text: sorted(gallery.search(query, "neckline", 9, text).ids[0]) for text in ("price > 0", "price <= 0")}
    assert found == {"price > 0": ["p001", "p002"], "price <= 0": ["p000"]}
    assert gallery.search(query, "neckline", 9, "price IS NULL").to_dicts()[0][0]["metadata"]["price"] is None


def test_nan_in_a_list_is_a_missing_item(tmp_path):
    gallery = Gallery.create(tmp_path / "gallery", SPACES, pa.schema([("weights", pa.list_(pa.float64()))]))
    gallery.add(ids(2), vectors(2), {"weights": [[NAN, 1.0], [2.0]]})
    found = gallery.search(vectors(2)["neckline"], "neckline", 1, "array_has(weights, 1.0)")
    assert found.metadata[0][0] == {"weights": [None, 1.0]}
