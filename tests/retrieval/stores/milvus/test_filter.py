"""Filters find in Milvus what they find in LanceDB, missing values included; what has no translation is refused."""

import random
from datetime import date, datetime, timedelta, timezone

import numpy as np
import pyarrow as pa
import pytest

from hf_fashion.retrieval.stores.lance.store import LanceStore
from hf_fashion.retrieval.stores.milvus.columns import MilvusColumns
from hf_fashion.retrieval.stores.milvus.filter import milvus_filter
from hf_fashion.retrieval.stores.milvus.store import MilvusStore


DAYS = [date(2025, 12, 31), date(2026, 1, 1), None, date(1969, 12, 31), date(2026, 1, 1), None]
TIMES = [
    datetime(2026, 1, 1, 12),
    None,
    datetime(2025, 1, 1),
    datetime(1960, 5, 5, 1, 2, 3),
    None,
    datetime(2026, 1, 1),
]
UTC = [None if time is None else time.replace(tzinfo=timezone.utc) for time in TIMES]
VALUES = {
    "id": (["a", "b", "it's", 'say "x"', "back\\slash", "größe"], pa.string()),
    "brand": (["Lumaro", "Halvick", None, 'It\'s "new"', "", "a\\b"], pa.string()),
    "sub-category": (["coat", None, "dress", "50%", "coat_rack", "Coat"], pa.large_string()),
    "Made In": (["IT", "PT", None, "it", "ES", "PT"], pa.string()),
    "price": ([1.5, -2.0, None, 1e-7, 3.0, 1e20], pa.float64()),
    "weight": ([0.1, 0.2, None, 0.4, -0.1, 0.1], pa.float32()),
    "stock": ([1, -2, None, 2**62, 0, 1], pa.int64()),
    "grade": ([1, 2, None, 127, -128, 1], pa.int8()),
    "new": ([True, False, None, True, None, False], pa.bool_()),
    "day": (DAYS, pa.date32()),
    "added": (TIMES, pa.timestamp("ms")),
    "seen": (UTC, pa.timestamp("us", "UTC")),
    "sold": (TIMES, pa.timestamp("ns")),
    "sizes": ([["S", "M"], [], None, ["M"], ["it's"], ["L", "M", "S"]], pa.list_(pa.string())),
    "years": ([[2025], [2026, 2025], None, [], [1], [-5]], pa.list_(pa.int32())),
    "scores": ([[0.5], None, [], [0.1, 1.5], [2.0], [-0.5]], pa.list_(pa.float64())),
    "shown": (UTC, pa.timestamp("us", "Europe/Berlin")),
    "far": (UTC, pa.timestamp("ms", "+05:30")),
}
CONDITIONS = """
brand = 'Lumaro'
BRAND == 'Lumaro'
"brand" <> 'Lumaro'
brand != 'Lumaro'
NOT brand = 'Lumaro'
NOT NOT brand = 'Lumaro'
'Lumaro' = brand
brand > 'I' AND brand <= 'Lumaro'
brand = 'It''s "new"'
brand = 'a\\b'
brand = ''
brand IN ('Lumaro', 'Lumaro', '')
brand NOT IN ('Lumaro', '')
NOT (brand NOT IN ('Lumaro'))
brand LIKE 'L%'
brand LIKE '%a%'
brand NOT LIKE '%a%'
brand LIKE 'Lum_r%'
brand LIKE '_u%r%o'
brand LIKE 'Lumaro'
brand NOT LIKE 'Lumaro'
brand LIKE ''
brand NOT LIKE ''
brand LIKE 'It''s "%'
brand BETWEEN 'H' AND 'L'
brand IS NULL
brand is not null
NOT brand IS NULL
`sub-category` = 'coat'
`sub-category` IN ('coat', 'dress')
`Made In` = 'PT' OR `sub-category` IS NULL
id = 'it''s'
id IN ('a', 'a', 'größe', 'nobody')
id NOT IN ('a')
id != 'back\\slash'
id LIKE '%"%'
NOT id LIKE 'b%'
price < 2
price < 2.0
price >= -2
price = .0000001
price > 1e19
2 > price
-2.5 <= price
price BETWEEN -2 AND 1.5
price NOT BETWEEN -2 AND 1.5
price IN (1.5, 3)
price NOT IN (1.5, 3)
weight = 0.1
weight > 0.1
weight IN (0.1, 0.4)
stock = 4611686018427387904
stock > -1
stock != 1
grade BETWEEN -128 AND 1
grade NOT IN (1, 2)
new
NOT new
new = true
new != TRUE
new IN (true, false)
new NOT IN (true)
new IS TRUE
new IS NOT TRUE
NOT new IS NOT FALSE
new IS FALSE
new IS NOT FALSE
day = date '2026-01-01'
day < date '1970-01-01'
day != date '2026-01-01'
day BETWEEN date '2025-01-01' AND date '2026-12-31'
day >= timestamp '2026-01-01 00:00:00'
added > timestamp '2026-01-01'
added = timestamp '2026-01-01 12:00:00'
added < timestamp '1970-01-01 00:00:00'
added >= date '2026-01-01'
added > timestamp '2026-01-01T13:30:00+02:00'
seen > timestamp '2026-01-01 11:59:59.999999Z'
seen <= timestamp '2025-01-01'
sold = timestamp '1960-05-05 01:02:03'
shown = timestamp '2026-01-01 13:00:00'
shown > timestamp '2026-01-01 00:30:00'
shown >= date '2026-01-01'
far <= timestamp '2025-01-01 05:30:00'
far < timestamp '2025-01-01 05:30:00'
timestamp '2026-01-01' <= sold
array_has(sizes, 'M')
NOT array_has(sizes, 'M')
ARRAY_HAS(sizes, 'it''s')
array_has(years, 2025)
array_has(years, -5) OR array_has(scores, 0.1)
array_has(scores, -0.5)
sizes IS NULL
sizes IS NOT NULL AND NOT array_has(sizes, 'S')
NOT (price > 1 AND brand = 'Lumaro')
NOT (price > 1 OR brand = 'Lumaro')
price > 1 AND brand = 'Lumaro' OR new
price > 1 AND (brand = 'Lumaro' OR new)
NOT (NOT (brand = 'Lumaro' OR array_has(sizes, 'L')) AND new IS NULL)
""".strip().splitlines()


def table() -> pa.Table:
    vectors = pa.FixedSizeListArray.from_arrays(pa.array(np.eye(6, 8, dtype=np.float16).ravel()), 8)
    arrays = [pa.array(values, kind) for values, kind in VALUES.values()]
    return pa.Table.from_arrays([*arrays, vectors], [*VALUES, "vector_0"])


@pytest.fixture(scope="module")
def stores(tmp_path_factory, milvus_server):
    """LanceDB's and Milvus's with the same rows."""
    rows = table()
    made = [
        LanceStore.create(str(tmp_path_factory.mktemp("lance")), rows.schema),
        MilvusStore.create(f"milvus+{milvus_server}/filters", rows.schema),
    ]
    for store in made:
        store.upsert(rows)
    return made


def found(store, condition: str) -> list[str]:
    return sorted(store.read(["id"], condition)["id"].to_pylist())


def test_rows_are_those_that_were_written(stores):
    for store in stores:
        rows = store.read(table().column_names)
        assert rows.schema == table().schema
        assert rows.sort_by("id").equals(table().sort_by("id"))


@pytest.mark.parametrize("condition", CONDITIONS)
def test_both_stores_find_the_same(stores, condition):
    lance, milvus = stores
    assert found(milvus, condition) == found(lance, condition)


def test_the_conditions_tell_rows_apart(stores):
    """Each finds some and leaves some, so that a wrong answer can be seen."""
    assert [condition for condition in CONDITIONS if len(found(stores[1], condition)) in (0, 6)] == []


# Under NOT, LanceDB 0.40 compares a float32 column with the float64 number and finds 0.1 different from 0.1.
NESTED = [condition for condition in CONDITIONS if "weight" not in condition]


def test_a_rounded_number_is_found_under_not_too(stores):
    assert found(stores[1], "NOT weight = 0.1") == ["b", "back\\slash", 'say "x"']
    assert found(stores[1], "NOT NOT weight = 0.1") == ["a", "größe"]


def random_condition(generator: random.Random, depth: int) -> str:
    if depth == 0 or generator.random() < 0.2:
        return generator.choice(NESTED)
    parts = [f"({random_condition(generator, depth - 1)})" for _ in range(2)]
    negation = generator.choice(["", "NOT "])
    return f"{negation}({generator.choice([' AND ', ' OR ']).join(parts)})"


@pytest.mark.parametrize("seed", range(40))
def test_both_find_the_same_by_nested_conditions(stores, seed):
    condition = random_condition(random.Random(seed), 3)
    lance, milvus = stores
    assert found(milvus, condition) == found(lance, condition), condition


@pytest.mark.parametrize(
    ("condition", "message"),
    [
        ("colour = 'red'", "'colour' stands, one of `id`, `brand`, `sub-category`, `Made In`"),
        ("`Brand` = 'x'", "a column must stand where 'Brand' stands"),
        ("vector_0 IS NOT NULL", "a column must stand where 'vector_0' stands"),
        ("column_0 = 'Lumaro'", "a column must stand where 'column_0' stands"),
        ("brand =", "a value must stand where its end stands"),
        ("", "a column must stand where its end stands"),
        ("brand", r"`brand` \(string\) before its end does not return a boolean"),
        ("brand = 'x", 'nothing is known to begin with "\'x"'),
        ("brand = 'x' OR", "a column must stand where its end"),
        ("brand = 'x' new", "AND, OR or the end must stand where 'new' stands"),
        ("(brand = 'x'", "'\\)' must stand where its end"),
        ("brand = id", "a value must stand where 'id'"),
        ("brand = NULL", "a value must stand where 'NULL'"),
        ("brand = 1", r"`brand` \(string\) can be compared with text, got 1"),
        ("price > 'cheap'", r"`price` \(double\) can be compared with finite numbers, got 'cheap'"),
        ("price > true", "finite numbers, got true"),
        ("price > 1e999", "finite numbers, got 1e999"),
        ("price > 1" + "0" * 400, "finite numbers, got 10000"),
        ("weight = -1" + "0" * 400, "finite numbers, got - 10000"),
        ("stock > 1.5", r"`stock` \(int64\) can be compared with whole numbers of its type, got 1.5"),
        ("grade < 128", r"`grade` \(int8\) .* got 128"),
        ("stock < 9223372036854775808", "got 9223372036854775808"),
        ("new = 'true'", r"`new` \(bool\) can be compared with true or false, got 'true'"),
        ("new < true", "= and != alone"),
        ("day = '2026-01-01'", r"`day` \(date32\[day\]\) can be compared with timestamp '...' or date '...'"),
        ("day = timestamp '2026-01-01 12:00:00'", "no finer than its type, got timestamp '2026-01-01 12:00:00'"),
        ("added = timestamp '2026-01-01 12:00:00.000001'", "no finer than its type"),
        ("sold > timestamp '2026-01-01 12:00:00.0000001'", r"at most six digits below the second, got '2026-01-01 12"),
        ("seen < timestamp '2026-01-01 12:00:00,0000001Z'", "at most six digits below the second"),
        ("added = timestamp 'yesterday'", "Invalid isoformat string: 'yesterday'"),
        ("sizes = 'M'", "holds lists, which array_has and IS NULL ask about"),
        ("'M' = sizes", "holds lists"),
        ("'M' IN (sizes)", "a comparison must stand where 'IN'"),
        ("array_has(brand, 'M')", "array_has asks about lists, `brand` is string"),
        ("array_has(sizes, 5)", "can be compared with text, got 5"),
        ("array_has_any(sizes, ['M'])", r"nothing is known to begin with \"\['M'\]\)\""),
        ("lower(brand) = 'x'", "there is no function 'lower', array_has alone"),
        ("CAST(brand AS INT) = 1", "there is no function 'CAST'"),
        ("brand ILIKE 'x'", "before 'ILIKE' does not return a boolean"),
        ("price LIKE '1%'", r"LIKE compares text with text, got `price` \(double\)"),
        (r"brand LIKE '50\%'", "LIKE takes no backslash"),
        ("brand LIKE 'Lumar_'", "LIKE takes no _ at the end, got 'Lumar_'"),
        ("brand NOT LIKE 'Lu_%'", "LIKE takes no _ at the end"),
        ("brand LIKE '_'", "LIKE takes no _ at the end"),
        ("price + 1 > 2", r"nothing is known to begin with '\+ 1 > 2'"),
        ("1 / 0 = 1", "nothing is known to begin with '/ 0 = 1'"),
        ("1 = 1", "a column must stand where '1'"),
        ("id IS NULL", "`id` is never missing"),
        ("brand IS TRUE", "'NULL' must stand where 'TRUE'"),
        ("brand IN ()", r"a value must stand where '\)'"),
        ("brand = 'x'; DROP", "nothing is known to begin with '; DROP'"),
        ('brand == "x" or 1 == 1', "a value must stand where 'x'"),
        ("(" * 100_000, "recursion"),
    ],
)
def test_what_milvus_cannot_be_asked_is_refused(condition, message):
    with pytest.raises(ValueError, match=message) as error:
        milvus_filter(condition, MilvusColumns(table().schema))
    assert str(error.value).startswith("`filter` is no condition on this gallery: ")
    assert "On Milvus a filter is made of" in str(error.value)


def test_a_pattern_without_wildcards_is_asked_as_equality():
    """Servers find every text by the empty pattern, Milvus Lite does not."""
    columns = MilvusColumns(table().schema)
    assert milvus_filter("brand LIKE ''", columns) == milvus_filter("brand = ''", columns)
    assert milvus_filter("brand NOT LIKE 'x'", columns) == milvus_filter("brand <> 'x'", columns)


def test_a_timestamp_with_a_zone_is_meant_there(stores):
    """LanceDB 0.40 takes it for one of the column's zone."""
    assert found(stores[1], "shown = timestamp '2026-01-01 12:00:00Z'") == ["a"]
    assert found(stores[1], "far = timestamp '2026-01-01 14:00:00+02:00'") == ["a"]


def test_a_zone_that_nobody_knows_is_named():
    columns = MilvusColumns(pa.schema([("id", pa.string()), ("seen", pa.timestamp("s", "Nowhere/At_All"))]))
    with pytest.raises(
        ValueError, match="no time zone 'Nowhere/At_All' is known here: write the timestamp with its own"
    ):
        milvus_filter("seen > timestamp '2026-01-01'", columns)
    assert milvus_filter("seen > timestamp '1970-01-01 00:00:07Z'", columns) == "column_0 > 7"


def test_text_cannot_leave_its_quotes(stores):
    for name in VALUES["id"][0]:
        for attack in (name + '" or id != "', name + "\\", '\\" or id != "', name + "\n"):
            quoted = attack.replace("'", "''")
            assert found(stores[1], f"id = '{quoted}'") == []
    day = (date(1970, 1, 1) + timedelta(days=5)).isoformat()
    assert milvus_filter(f"day = date '{day}'", MilvusColumns(table().schema)) == "column_8 == 5"
