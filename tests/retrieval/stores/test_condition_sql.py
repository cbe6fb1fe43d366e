"""What of SQL is a condition, and what is refused, before any database sees it."""

from datetime import datetime, timezone

import pyarrow as pa
import pytest

from hf_fashion.retrieval.stores.condition_sql import MAX_LENGTH, condition_of_sql
from hf_fashion.retrieval.stores.conditions import Among, Comparison, Contains, Either, Every, Like, Missing
from hf_fashion.retrieval.stores.filters import read_condition
from tests.retrieval.stores.filtered_table import columns


@pytest.mark.parametrize(
    ("text", "condition"),
    [
        ("BRAND == 'It''s'", Comparison("brand", "=", "It's")),
        ("'x' = brand", Comparison("brand", "=", "x")),
        ("2 > price", Comparison("price", "<", 2.0)),
        ("-2.5 <= price", Comparison("price", ">=", -2.5)),
        ("NOT price < 2", Comparison("price", ">=", 2.0)),
        ("NOT NOT new", Comparison("new", "=", True)),
        ("new IS TRUE", Comparison("new", "=", True)),
        ("new IS NOT TRUE", Either((Comparison("new", "=", False), Missing("new")))),
        ("NOT (new IS NOT FALSE)", Comparison("new", "=", False)),
        ("brand IN ('a', 'b', 'a')", Among("brand", ("a", "b"))),
        ("NOT brand IN ('a')", Among("brand", ("a",), negated=True)),
        ("brand NOT LIKE 'a%'", Like("brand", "a%", negated=True)),
        ("NOT brand NOT LIKE 'a%'", Like("brand", "a%")),
        ("brand LIKE 'a'", Comparison("brand", "=", "a")),
        ("`Made In` IS NOT NULL", Missing("Made In", negated=True)),
        ("NOT array_has(sizes, 'M')", Contains("sizes", "M", negated=True)),
        ("grade BETWEEN 1 AND 2", Every((Comparison("grade", ">=", 1), Comparison("grade", "<=", 2)))),
        ("grade NOT BETWEEN 1 AND 2", Either((Comparison("grade", "<", 1), Comparison("grade", ">", 2)))),
        (
            "new AND brand = 'x' AND (price < 1 OR NOT new)",
            Every(
                (
                    Comparison("new", "=", True),
                    Comparison("brand", "=", "x"),
                    Either((Comparison("price", "<", 1.0), Comparison("new", "=", False))),
                )
            ),
        ),
        (
            "NOT (new AND brand = 'x')",
            Either((Comparison("new", "=", False), Comparison("brand", "!=", "x"))),
        ),
        (
            "seen > timestamp '2026-01-01 01:00:00+01:00'",
            Comparison("seen", ">", datetime(2026, 1, 1, tzinfo=timezone.utc)),
        ),
        ("day = date '2026-01-01'", Comparison("day", "=", datetime(2026, 1, 1, tzinfo=timezone.utc))),
    ],
)
def test_text_becomes_a_tree_without_not(text, condition):
    assert condition_of_sql(text, columns()) == condition


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("brand = 'Acme' price < 50", "Unexpected token at character"),
        ("price < 50) OR (1=1", "Unexpected token"),
        ("brand = 'x' new", "brand = 'x' AS new is not supported"),
        ("brand = 'x' -- rest", "in place of the value"),
        ("brand = 'x' /* rest */", "Unexpected token"),
        ("brand = 'x' {# rest #}", "a comment is not part of one"),
        ("brand = 'x'; DROP TABLE gallery", "; is not part of one"),
        ("brand = 'x';", "; is not part of one"),
        ("", "it is empty"),
        ("   ", "it is empty"),
        ("brand =", "Required keyword"),
        ("brand = 'x' OR", "Required keyword"),
        ("(brand = 'x'", r"Expecting \)"),
        ("brand = 'x", "cannot be read"),
        ("colour = 'red'", r"there is no column 'colour', there are `id`, `brand`, `sub-category`"),
        ("brnad = 'red'", r"no column 'brnad' \(did you mean 'brand'\?\)"),
        ("`Brand` = 'x'", "there is no column 'Brand'"),
        ("vector_0 IS NOT NULL", "there is no column 'vector_0'"),
        ("gallery.brand = 'x'", "gallery.brand is not supported"),
        ("brand", r"a column is a condition only if it holds booleans, `brand` is string"),
        ("brand = id", "in place of the value"),
        ("1 = 1", "in place of the column"),
        ("brand = NULL", "no value equals NULL: a missing one is found by IS NULL"),
        ("brand = 1", r"`brand` \(string\) is compared with text, got 1"),
        ("price < '50'", r"`price` \(double\) is compared with finite numbers, got '50'"),
        ("price > true", "finite numbers, got true"),
        ("price > 1e999", "finite numbers, got inf"),
        ("price > 1" + "0" * 400, "finite numbers, got 10000"),
        ("price > 1" + "0" * 5000, "is no number"),
        ("price > --1", "in place of the value"),
        ("stock > 1.5", r"`stock` \(int64\) is compared with whole numbers of its type, got 1.5"),
        ("grade < 128", r"`grade` \(int8\) .* got 128"),
        ("stock < 9223372036854775808", "got 9223372036854775808"),
        ("new = 'true'", r"`new` \(bool\) is compared with true or false, got 'true'"),
        ("new < true", "only by = and !="),
        ("day = '2026-01-01'", r"`day` \(date32\[day\]\) is compared with timestamp '...' or date '...'"),
        ("day = timestamp '2026-01-01 12:00:00'", "no finer than its type, got timestamp '2026-01-01 12:00:00'"),
        ("added = timestamp '2026-01-01 12:00:00.000001'", "no finer than its type"),
        ("sold > timestamp '2026-01-01 12:00:00.0000001'", "at most six digits below the second"),
        ("added = timestamp 'yesterday'", "Invalid isoformat string: 'yesterday'"),
        ("sizes = 'M'", "holds lists, which array_has and IS NULL ask about"),
        ("'M' = sizes", "holds lists"),
        ("sizes IN ('M')", "holds lists"),
        ("array_has(brand, 'M')", "array_has asks about lists, `brand` is string"),
        ("array_has(sizes, 5)", "is compared with text, got 5"),
        ("array_has(sizes, 'M', 'L')", "is not supported"),
        ("array_has_any(sizes, ['M'])", "is not supported"),
        ("lower(brand) = 'x'", "in place of the column"),
        ("rpad('a', 2000000000, 'b') = brand", "in place of the value"),
        ("CAST(brand AS INT) = 1", "CAST is not supported"),
        ("brand::int = 1", "is not supported"),
        ("day = CAST('2026-01-01' AS DATE)", "CAST is not supported"),
        ("brand ILIKE 'x'", "is not supported"),
        ("brand LIKE 'x' ESCAPE '!'", "is not supported"),
        ("brand LIKE ALL ('x')", "in place of the value"),
        ("price LIKE '1%'", r"LIKE compares text with a pattern, got `price` \(double\)"),
        (r"brand LIKE '50\%'", "no backslash"),
        ("brand LIKE 'Lumar_'", "no _ at its end, got 'Lumar_'"),
        ("brand NOT LIKE 'Lu_%'", "no _ at its end"),
        ("brand LIKE '_'", "no _ at its end"),
        ("price + 1 > 2", "in place of the column"),
        ("price > " + "+".join(["1"] * 1000), "in place of the value|nested"),
        ("1 / 0 = 1", "in place of the column"),
        ("id IS NULL", "`id` is never missing"),
        ("brand IS TRUE", "IS TRUE and IS FALSE ask about booleans"),
        ("brand IS 'x'", "IS asks for NULL, TRUE or FALSE"),
        ("brand IS DISTINCT FROM 'x'", "is not supported"),
        ("brand IN ()", "must have 1 to 10,000 values, got 0"),
        ("brand IN (SELECT 1)", "is not supported"),
        ("EXISTS (SELECT 1)", "is not supported"),
        ("SELECT 1", "is not supported"),
        ("brand = $1", "in place of the value"),
        ("brand = ?", "in place of the value"),
        ("brand = :name", "in place of the value"),
        ("brand = N'x'", "in place of the value"),
        ("brand = 'x' 'y'", "in place of the value"),
        ("price BETWEEN SYMMETRIC 2 AND 1", "is not supported"),
        ('brand == "x"', "in place of the value"),
        ("CASE WHEN new THEN new END", "is not supported"),
        ("(" * 10_000 + "new" + ")" * 10_000, "nested too deeply"),
        ("NOT " * 10_000 + "new", "nested too deeply"),
        ("desc = 'x'", "A name that is a word of SQL is written in backticks"),
    ],
)
def test_what_is_no_condition_is_refused(text, message):
    with pytest.raises(ValueError, match=message) as error:
        read_condition(text, columns())
    assert str(error.value).startswith("`filter` is not a condition on this gallery: ")
    assert len(str(error.value)) < 1500


def test_long_text_is_refused_unread():
    with pytest.raises(ValueError, match=f"it has {MAX_LENGTH + 4:,} characters, at most {MAX_LENGTH:,} are allowed"):
        condition_of_sql("new" + " " * (MAX_LENGTH + 1), columns())


def test_long_chains_are_read():
    text = " OR ".join(f"brand = '{number}'" for number in range(400))
    assert len(condition_of_sql(text, columns()).parts) == 400


def test_columns_that_differ_in_case_are_told_apart():
    types = {"Size": pa.string(), "size": pa.string()}
    assert condition_of_sql("size = 'M'", types) == Comparison("size", "=", "M")
    with pytest.raises(ValueError, match="there is no column 'SIZE'"):
        condition_of_sql("SIZE = 'M'", types)
