"""Conditions are built only for columns of the right type."""

import re

import pyarrow as pa
import pytest

from hf_fashion.retrieval.stores.conditions.columns import MAX_VALUES, FilterColumns
from hf_fashion.retrieval.stores.conditions.tree import And, ArrayHasAny, Comparison, IsNull, Like, OneOf


TYPES = {
    "id": pa.string(),
    "brand": pa.string(),
    "Size": pa.string(),
    "SIZE": pa.string(),
    "price": pa.float32(),
    "new": pa.bool_(),
    "sizes": pa.list_(pa.string()),
    "years": pa.large_list(pa.int32()),
    "pair": pa.list_(pa.float32(), 2),
}
COLUMNS = FilterColumns(TYPES)


def test_a_column_is_found_by_its_name():
    assert COLUMNS.find("brand") == COLUMNS.find("BRAND", exact=False) == "brand"
    assert COLUMNS.find("Size", exact=False) == "Size"


@pytest.mark.parametrize(
    ("name", "exact", "message"),
    [
        (
            "BRAND",
            True,
            r"there is no column `BRAND` \(did you mean 'brand'\?\), the columns are `id`, `brand`",
        ),
        ("prise", False, r"no column `prise` \(did you mean 'price'\?\)"),
        ("size", False, "there are several columns `size`"),
        ("x" * 1000, False, "no column `x{80}`,"),
    ],
)
def test_a_column_that_is_not_there_is_named(name, exact, message):
    with pytest.raises(ValueError, match=message):
        COLUMNS.find(name, exact)


def test_conditions_hold_the_values_of_their_column():
    assert COLUMNS.compare("price", "<", 1) == Comparison("price", "<", 1.0)
    assert COLUMNS.one_of("price", [1, 0.1]) == OneOf("price", (1.0, 0.10000000149011612))
    assert COLUMNS.array_has_any("pair", [0.1]) == ArrayHasAny("pair", (0.10000000149011612,))
    assert COLUMNS.array_has_any("years", [1, 2]) == ArrayHasAny("years", (1, 2))
    assert COLUMNS.compare("price", "<", 1e300) == OneOf("price", (), negated=True)
    assert COLUMNS.one_of("price", [1, 1e300]) == OneOf("price", (1.0,))
    assert COLUMNS.array_has_any("years", [0.5]) == ArrayHasAny("years", ())
    assert COLUMNS.is_null("sizes") == IsNull("sizes")
    assert COLUMNS.is_true("new") == Comparison("new", "=", True)
    assert COLUMNS.is_boolean("new", False) == And((Comparison("new", "=", False), IsNull("new", negated=True)))
    assert [name for name in TYPES if COLUMNS.holds_lists(name)] == ["sizes", "years", "pair"]


@pytest.mark.parametrize("pattern", ["L%", "%a%", "_u%o", "%_x", "a_b"])
def test_a_pattern_is_kept(pattern):
    assert COLUMNS.like("brand", pattern) == Like("brand", pattern)


@pytest.mark.parametrize("pattern", ["", "Lumaro"])
def test_a_pattern_without_wildcards_is_a_comparison(pattern):
    """Servers of Milvus find every text by the empty pattern, Milvus Lite does not."""
    assert COLUMNS.like("brand", pattern) == Comparison("brand", "=", pattern)


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda: COLUMNS.compare("new", "<", True), r"`new` \(bool\) can be compared with = and != only, got <"),
        (lambda: COLUMNS.compare("sizes", "=", "M"), "`sizes` .* holds lists: ask array_has or IS NULL"),
        (lambda: COLUMNS.one_of("years", [1]), "`years` .* holds lists"),
        (lambda: COLUMNS.one_of("price", ["x"]), "`price` .* got 'x'"),
        (lambda: COLUMNS.one_of("price", []), "a list for `price` must have from 1 to 10,000 values, got 0"),
        (lambda: COLUMNS.one_of("price", [1] * (MAX_VALUES + 1)), "from 1 to 10,000 values, got 10,001"),
        (lambda: COLUMNS.array_has_any("sizes", ["M"] * (MAX_VALUES + 1)), "got 10,001"),
        (lambda: COLUMNS.array_has_any("brand", ["M"]), "array_has needs a column of lists, `brand` is string"),
        (lambda: COLUMNS.array_has_any("sizes", [5]), "`sizes` .* can be compared with text .*, got 5"),
        (lambda: COLUMNS.like("price", "1%"), "LIKE needs a column of text, `price` is float"),
        (lambda: COLUMNS.like("sizes", "1%"), "holds lists"),
        (lambda: COLUMNS.like("brand", 5), "with text .*, got 5"),
        (lambda: COLUMNS.like("brand", r"50\%"), "LIKE takes no backslash"),
        (lambda: COLUMNS.like("brand", "Lumar_"), "LIKE takes no _ at the end of a pattern, got 'Lumar_'"),
        (lambda: COLUMNS.like("brand", "Lu_%"), "LIKE takes no _ at the end"),
        (lambda: COLUMNS.like("brand", "_"), "LIKE takes no _ at the end"),
        (lambda: COLUMNS.is_null("id"), "`id` is never missing"),
        (lambda: COLUMNS.is_boolean("brand", True), "IS TRUE needs a column of booleans, `brand` is string"),
        (lambda: COLUMNS.is_true("brand"), r"`brand` is string\. Write `brand` = 'true', as the catalogue has it"),
    ],
)
def test_what_does_not_go_with_the_type_is_refused(ask, message):
    with pytest.raises(ValueError, match=message) as error:
        ask()
    assert re.search("`|LIKE", str(error.value))
