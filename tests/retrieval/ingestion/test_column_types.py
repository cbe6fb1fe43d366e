"""Columns have a type before a gallery is made, and keep it."""

import pyarrow as pa
import pytest

from hf_fashion.retrieval.ingestion.column_types import (
    adopted_type,
    holds_text,
    require_distinct_names,
    require_known_types,
)


TEXT, WHOLE, FLOAT = pa.string(), pa.int64(), pa.float64()


def test_a_name_given_twice_and_a_bare_text_are_refused():
    require_distinct_names(["brand", "price"])
    with pytest.raises(ValueError, match=r"must name each column once, got 'brand' again"):
        require_distinct_names(["brand", "price", "brand"])
    with pytest.raises(ValueError, match=r"must be a list of names, got the text 'brand': write \['brand'\]"):
        require_distinct_names("brand")


@pytest.mark.parametrize("kind", [pa.null(), pa.list_(pa.null())])
def test_a_column_of_empty_cells_has_no_type(kind):
    require_known_types(pa.schema([("brand", TEXT)]))
    with pytest.raises(ValueError, match=r"all cells of 'sale' are empty.*cast_column\('sale', Value\('string'\)\)"):
        require_known_types(pa.schema([("brand", TEXT), ("sale", kind)]))


@pytest.mark.parametrize(
    ("here", "stored", "expected"),
    [
        (WHOLE, TEXT, TEXT),
        (FLOAT, pa.large_string(), pa.large_string()),
        (pa.list_(WHOLE), pa.list_(TEXT), pa.list_(TEXT)),
        (pa.null(), pa.list_(WHOLE), pa.list_(WHOLE)),
        (pa.list_(pa.null()), pa.list_(WHOLE), pa.list_(WHOLE)),
        (WHOLE, FLOAT, FLOAT),
        (FLOAT, WHOLE, FLOAT),
        (TEXT, FLOAT, TEXT),
        (WHOLE, pa.list_(TEXT), WHOLE),
        (pa.list_(WHOLE), TEXT, pa.list_(WHOLE)),
        (pa.bool_(), TEXT, pa.bool_()),
        (pa.large_string(), TEXT, TEXT),
        (TEXT, pa.large_string(), pa.large_string()),
        (pa.string_view(), TEXT, TEXT),
        (pa.list_(pa.large_string()), pa.list_(TEXT), pa.list_(TEXT)),
        (pa.int32(), WHOLE, WHOLE),
        (WHOLE, pa.int32(), WHOLE),
        (pa.uint32(), WHOLE, WHOLE),
        (pa.uint64(), WHOLE, pa.uint64()),
        (pa.uint8(), pa.uint16(), pa.uint16()),
        (pa.int8(), pa.uint16(), pa.int8()),
        (pa.float32(), FLOAT, FLOAT),
        (FLOAT, pa.float32(), FLOAT),
        (pa.list_(pa.int8()), pa.list_(WHOLE), pa.list_(WHOLE)),
        (pa.list_(WHOLE), pa.list_(pa.int8()), pa.list_(WHOLE)),
        (pa.timestamp("s"), pa.timestamp("us"), pa.timestamp("s")),
    ],
)
def test_a_gallery_keeps_its_type_where_it_holds_all_values(here, stored, expected):
    assert adopted_type(here, stored) == expected


def test_lists_of_text_are_text_too():
    assert holds_text(TEXT) and holds_text(pa.list_(pa.large_string())) and not holds_text(WHOLE)
