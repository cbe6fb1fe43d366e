"""SQL's conditions become trees; everything else is an error with the place and the reason."""

import random
import sys
from datetime import UTC, date, datetime

import pytest

from hf_fashion.retrieval.stores.conditions.columns import FilterColumns
from hf_fashion.retrieval.stores.conditions.sql import MAX_DEPTH, MAX_LENGTH, condition_from_sql
from hf_fashion.retrieval.stores.conditions.tree import And, ArrayHasAny, Comparison, IsNull, Like, OneOf, Or
from tests.retrieval.stores.filtered_rows import CONDITIONS, IN_PYTHON, TYPES


COLUMNS = FilterColumns(TYPES)
LUMARO, CHEAP = Comparison("brand", "=", "Lumaro"), Comparison("price", "<", 50.0)
NEW = Comparison("new", "=", True)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("brand = 'Lumaro'", LUMARO),
        ("BRAND=='Lumaro'", LUMARO),
        ("'Lumaro' = \"brand\"", LUMARO),
        ("  (\n\tbrand = 'Lumaro' )", LUMARO),
        ("((`brand`)) = ('Lumaro')", LUMARO),
        ("NOT NOT brand = 'Lumaro'", LUMARO),
        ("50 > price", CHEAP),
        ("NOT price >= 50", CHEAP),
        ("price <> -.5e1", Comparison("price", "!=", -5.0)),
        ("price != 50", Comparison("price", "!=", 50.0)),
        ("price!=50", Comparison("price", "!=", 50.0)),
        ("brand!='Lumaro'", Comparison("brand", "!=", "Lumaro")),
        ("50!=price", Comparison("price", "!=", 50.0)),
        ("`brand`!= 'Lumaro'", Comparison("brand", "!=", "Lumaro")),
        ("date = date '2026-01-31'", Comparison("date", "=", date(2026, 1, 31))),
        (
            "added < timestamp '2026-01-31 12:00:00+01:00'",
            Comparison("added", "<", datetime(2026, 1, 31, 11, tzinfo=UTC)),
        ),
        ("brand = 'It''s -- /* ; */ AND'", Comparison("brand", "=", "It's -- /* ; */ AND")),
        ("brand NOT IN ('a', 'b')", OneOf("brand", ("a", "b"), negated=True)),
        ("NOT brand NOT LIKE 'L%'", Like("brand", "L%")),
        ("price > 1" + "0" * 400, OneOf("price", ())),
        ("weight = -1" + "0" * 400, OneOf("weight", ())),
        ("price < " + "9" * 5000, OneOf("price", (), negated=True)),
        ("grade < 128", OneOf("grade", (), negated=True)),
        ("stock < 9223372036854775808", OneOf("stock", (), negated=True)),
        ("stock < 12.5", Comparison("stock", "<=", 12)),
        ("price BETWEEN 1 AND 50", And((Comparison("price", ">=", 1.0), Comparison("price", "<=", 50.0)))),
        ("price NOT BETWEEN 1 AND 50", Or((Comparison("price", "<", 1.0), Comparison("price", ">", 50.0)))),
        ("new", NEW),
        ("NOT new", Comparison("new", "!=", True)),
        ("new IS TRUE", And((NEW, IsNull("new", negated=True)))),
        ("new IS NOT TRUE", Or((Comparison("new", "!=", True), IsNull("new")))),
        ("brand IS NOT NULL", IsNull("brand", negated=True)),
        ("NOT array_has(sizes, 'M')", ArrayHasAny("sizes", ("M",), negated=True)),
        ("new AND new OR brand = 'Lumaro'", Or((And((NEW, NEW)), LUMARO))),
        ("new AND (price < 50 OR brand = 'Lumaro')", And((NEW, Or((CHEAP, LUMARO))))),
        ("brand = 'Lumaro' AND price < 50 AND new", And((LUMARO, CHEAP, NEW))),
        ("NOT (new OR price >= 50)", And((Comparison("new", "!=", True), CHEAP))),
    ],
)
def test_a_condition_becomes_a_tree(text, expected):
    assert condition_from_sql(text, COLUMNS) == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        # More after a complete condition.
        ("brand = 'Acme' price < 50", "cannot be read at 'price', after \"brand = 'Acme' \""),
        ("price < 50) OR (1=1", r"cannot be read at '\)', after 'price < 50'"),
        ("brand = 'x' new", "cannot be read at 'new'"),
        ("brand = 'x'; DROP TABLE gallery", "cannot be read at ';'"),
        ("brand = 'x';", "cannot be read at ';'"),
        ("brand = 'x' -- comment", "a filter only compares columns with values"),
        ("price < 50 --", "cannot be read at '-'"),
        ("price < 50 -- 1", "a filter only compares columns with values, SUB is not allowed"),
        ("brand = 'x' /* comment */", r"cannot be read at '/\*'"),
        ("/* comment */ brand = 'x'", "cannot be read at"),
        ("brand = 'x' # comment", "cannot be read at '#'"),
        ("brand = 'x' ORDER BY price", "cannot be read at 'ORDER'"),
        ("brand = 'x' LIMIT 1", "cannot be read at 'LIMIT'"),
        ("brand = 'x' UNION SELECT 1", "cannot be read at 'UNION'"),
        # What is not whole.
        ("", "it is empty"),
        (" \n ", "it is empty"),
        ("brand =", "cannot be read at '='"),
        ("brand = 'x", "a quote in it is not closed"),
        ("`brand = 'x'", "a quote in it is not closed"),
        ("brand = 'x' OR", "cannot be read at 'OR'"),
        ("(brand = 'x'", "cannot be read at \"'x'\""),
        ("brand NOT", "cannot be read at 'NOT'"),
        ("NOT", "cannot be read at 'NOT'"),
        ("brand IN ()", "a list for `brand` must have from 1 to 10,000 values, got 0"),
        ("'x'", "a condition is missing at 'x'"),
        ("true", "a condition is missing at BOOLEAN"),
        ("NULL", "a condition is missing at NULL"),
        ("1 = 1", "a column is missing: .* got '1'"),
        ("(price > 1) = true", "a column is missing: .* got GT"),
        ("1 < price < 5", "a column is missing: .* got LT"),
        ("new IS TRUE IS TRUE", "a column is missing: .* got IS"),
        ("'M' IN (sizes)", "a column is missing: .* got 'M'"),
        # Columns.
        ("colour = 'red'", "there is no column `colour`, the columns are `id`, `brand`, `sub-category`, `Made In`"),
        ("prise > 5", r"no column `prise` \(did you mean 'price'\?\)"),
        ("`Brand` = 'x'", r"no column `Brand` \(did you mean 'brand'\?\)"),
        ("vector_0 IS NOT NULL", "there is no column `vector_0`"),
        ("column_0 = 'Lumaro'", "there is no column `column_0`"),
        ("gallery.brand = 'x'", "a filter only compares columns with values, 'brand' is not allowed"),
        ("brand", "`brand` is string"),
        # Values.
        ("brand = id", "a value is missing: 'id' is a name, and text is in 'single quotes'"),
        ('brand = "Lumaro"', "a value is missing: 'Lumaro' is a name, and text is in 'single quotes'"),
        ("brand = NULL", "a value is missing at NULL"),
        ("brand IN ('x', NULL)", "a value is missing at NULL"),
        ("brand = 1", r"`brand` \(string\) can be compared with text .*, got 1"),
        ("price > 'cheap'", r"`price` \(double\) can be compared with finite numbers, got 'cheap'"),
        ("price > true", "finite numbers, got True"),
        ("price > ²", "'²' is not a number|there is no column|a value is missing"),
        ("price > 0x10", "cannot be read at 'x10'"),
        ("price > 1_000", "cannot be read at '_000'"),
        ("price > - -1", "a value is missing at NEG"),
        ("brand = -'x'", "a value is missing at NEG"),
        ("new = 'true'", r"`new` \(bool\) can be compared with true or false, got 'true'"),
        ("new < true", "= and != only"),
        ("day = '2026-01-01'", r"`day` \(date32\[day\]\) can be compared with dates: date '...'"),
        ("day = timestamp '2026-01-01 12:00:00'", "timestamp '...' at midnight"),
        ("day = date '2026-13-01'", "'2026-13-01' is not a date such as '2026-01-31'"),
        ("added = timestamp '2026-01-01 12:00:00.000001'", "no finer than ms"),
        ("sold > timestamp '2026-01-01 12:00:00.0000001'", "at most six digits below the second, got '2026-01-01 12"),
        ("seen < timestamp '2026-01-01 12:00:00,0000001Z'", "at most six digits below the second"),
        ("added = timestamp 'yesterday'", "'yesterday' is not a timestamp such as"),
        ("timestamp(3) '2026-01-01' < added", "DATATYPE is not allowed"),
        ("timestamp with time zone '2026-01-01' < added", "a time is written as timestamp '...' or date '...'"),
        ("brand = 'x' 'y'", "CONCAT is not allowed"),
        ("brand = N'x'", "NATIONAL is not allowed"),
        ("brand = E'x'", "cannot be read at"),
        ("brand = X'00'", "cannot be read at"),
        # Lists, LIKE and IS.
        ("sizes = 'M'", r"holds lists: ask array_has or IS NULL"),
        ("'M' = sizes", "holds lists"),
        ("array_has(brand, 'M')", "array_has needs a column of lists, `brand` is string"),
        ("array_has(sizes, 5)", "can be compared with text .*, got 5"),
        ("array_has('M', sizes)", "a column is missing: .* got 'M'"),
        ("array_has(sizes)", "array_has takes a column and a value, got 1"),
        ("array_has(array_has(sizes, 'M'), 'M')", "a column is missing"),
        ("price LIKE '1%'", "LIKE needs a column of text, `price` is double"),
        (r"brand LIKE '50\%'", "LIKE takes no backslash"),
        ("brand LIKE '5!%' ESCAPE '!'", "cannot be read at 'ESCAPE'"),
        ("brand LIKE 'Lumar_'", "LIKE takes no _ at the end of a pattern, got 'Lumar_'"),
        ("!new", "cannot be read at 'new', after '!'"),
        ("price ! = 50", "cannot be read at '!'"),
        ("price!50", "cannot be read at '!'"),
        ("brand NOT LIKE 'Lu_%'", "LIKE takes no _ at the end"),
        ("brand LIKE id", "a value is missing: 'id' is a name"),
        ("'x' LIKE brand", "a column is missing"),
        ("id IS NULL", "`id` is never missing"),
        ("brand IS TRUE", "IS TRUE needs a column of booleans, `brand` is string"),
        ("new IS 5", "after IS there must be NULL, TRUE or FALSE, got '5'"),
        # More of SQL than a filter may say.
        ("lower(brand) = 'x'", "a column is missing: .* got 'lower'"),
        ("starts_with(brand, 'x')", "there is no function starts_with, only array_has"),
        ("array_has_any(sizes, ['M'])", "cannot be read at"),
        ("CAST(brand AS INT) = 1", "cannot be read at 'AS'"),
        ("brand::int = 1", "cannot be read at|there is no column"),
        ("brand ILIKE 'x'", "cannot be read at 'ILIKE'"),
        ("brand ~ 'x'", "cannot be read at '~'"),
        ("brand || 'x' = 'y'", "cannot be read at"),
        ("price + 1 > 2", r"cannot be read at '\+', after 'price '"),
        ("price - 1 > 2", "a column is missing: .* got SUB|SUB is not allowed"),
        ("price > 2 - 1", "SUB is not allowed"),
        ("price > " + "+".join(["1"] * 1000), "cannot be read at"),
        ("1 / 0 = 1", "cannot be read at '/'"),
        ("rpad('a', 2000000000, 'b') = brand", "a value is missing at 'rpad'"),
        ("brand = $1", "a value is missing|there is no column"),
        ("brand = ?", "a value is missing|there is no column"),
        ("brand = :name", "a value is missing|there is no column"),
        ("brand = @name", "a value is missing|there is no column"),
        ("brand = {name}", "a value is missing|cannot be read at"),
        ("brand IN (SELECT brand)", "cannot be read at 'brand'"),
        ("EXISTS (SELECT 1)", "cannot be read at"),
        ("CASE WHEN new THEN new END", "cannot be read at 'WHEN'"),
        ("price BETWEEN SYMMETRIC 5 AND 1", "BETWEEN is not allowed|cannot be read at"),
        ("brand IS NOT DISTINCT FROM 'x'", "NULLSAFEEQ is not allowed"),
        ("brand IN 'x'", "IN is not allowed"),
        ("(brand, id) = ('x', 'y')", "a column is missing: .* got TUPLE|TUPLE is not allowed"),
        ("added AT TIME ZONE 'UTC' > timestamp '2026-01-01'", "ATTIMEZONE|cannot be read at"),
        ("interval '1' day < 5", "cannot be read at"),
        ('brand == "x" or 1 == 1', "a value is missing: 'x' is a name"),
    ],
)
def test_what_is_not_a_condition_is_refused(text, message):
    with pytest.raises(ValueError, match=message):
        condition_from_sql(text, COLUMNS)


@pytest.mark.parametrize("nested", ["({})", "NOT {}", "NOT ({})", "(NOT {})"])
def test_nesting_has_a_limit_that_is_said(nested):
    text = shallow = "new"
    for depth in range(1, 1000):
        text = nested.format(text)
        shallow = text if depth == MAX_DEPTH // 2 else shallow
    assert condition_from_sql(shallow, COLUMNS) in (NEW, Comparison("new", "!=", True))
    with pytest.raises(ValueError, match="may be nested 20 deep, got"):
        condition_from_sql(text, COLUMNS)


def test_the_deepest_nesting_is_read():
    assert condition_from_sql("(" * MAX_DEPTH + "new" + ")" * MAX_DEPTH, COLUMNS) == NEW
    with pytest.raises(ValueError, match="may be nested 20 deep, got 21"):
        condition_from_sql("(" * 21 + "new" + ")" * 21, COLUMNS)


def test_no_room_on_the_stack_is_an_error_of_the_filter():
    def deep(frames: int):
        return deep(frames - 1) if frames else condition_from_sql("(" * 20 + "new" + ")" * 20, COLUMNS)

    frame, used = sys._getframe(), 0
    while frame:
        frame, used = frame.f_back, used + 1
    with pytest.raises(ValueError, match="nested too deeply"):
        deep(sys.getrecursionlimit() - used - 200)


def test_length_has_a_limit_that_is_said():
    text = "new OR " * (MAX_LENGTH // 7) + "new"
    assert condition_from_sql(text[: 7 * 1000] + "new", COLUMNS) == Or((NEW,) * 1001)
    with pytest.raises(ValueError, match=r"at most 10,000 characters, got 10,999\. Give a long list in a mapping"):
        condition_from_sql(text.ljust(10_999), COLUMNS)


PIECES = "( ) , - = < > . ' ` \" ; $ ? -- /* */ [ ] \x00 ² "
PIECES += "AND OR NOT IN BETWEEN LIKE IS NULL TRUE DATE TIMESTAMP SELECT CASE"


@pytest.mark.parametrize("seed", range(20))
def test_mutated_conditions_are_read_or_refused(seed):
    """A web page may send anything: there are only ValueErrors."""
    generator = random.Random(seed)
    texts, pieces = [*CONDITIONS, *(text for text, _ in IN_PYTHON)], PIECES.split(" ")
    for _ in range(100):
        words = generator.choice(texts).split(" ")
        for _ in range(generator.randint(1, 4)):
            place = generator.randrange(len(words) + 1)
            words[place : place + generator.randint(0, 1)] = [generator.choice([*pieces, *words])]
        try:
            condition_from_sql(generator.choice([" ", ""]).join(words), COLUMNS)
        except ValueError as error:
            assert len(str(error)) < 1000
