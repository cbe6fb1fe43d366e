"""Rows with missing values in columns of every type, and conditions on them, in SQL and in plain Python."""

import random
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import numpy as np
import pyarrow as pa

from hf_fashion.retrieval.stores.conditions.read import read_condition
from hf_fashion.retrieval.stores.conditions.tree import Condition


DAYS = [date(2025, 12, 31), date(2026, 1, 1), None, date(1969, 12, 31), date(2026, 1, 1), None]
TIMES = [
    datetime(2026, 1, 1, 12),
    None,
    datetime(2025, 1, 1),
    datetime(1960, 5, 5, 1, 2, 3),
    None,
    datetime(2026, 1, 1),
]
UTC = [None if time is None else time.replace(tzinfo=UTC) for time in TIMES]
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
    "date": (DAYS, pa.date64()),
    "added": (TIMES, pa.timestamp("ms")),
    "seen": (UTC, pa.timestamp("us", "UTC")),
    "sold": (TIMES, pa.timestamp("ns")),
    "sizes": ([["S", "M"], [], None, ["M"], ["it's"], ["L", "M", "S"]], pa.list_(pa.string())),
    "years": ([[2025], [2026, 2025], None, [], [1], [-5]], pa.list_(pa.int32())),
    "scores": ([[0.5], None, [], [0.1, 1.5], [2.0], [-0.5]], pa.list_(pa.float64())),
    "times": ([[time] if time else None for time in TIMES], pa.list_(pa.timestamp("s"))),
    "shown": (UTC, pa.timestamp("us", "Europe/Berlin")),
    "far": (UTC, pa.timestamp("ms", "+05:30")),
}
TYPES = {name: kind for name, (_, kind) in VALUES.items()}
ROWS = [dict(zip(VALUES, row, strict=True)) for row in zip(*(values for values, _ in VALUES.values()), strict=True)]
CONDITIONS = r"""
brand = 'Lumaro'
BRAND == 'Lumaro'
"brand" <> 'Lumaro'
brand != 'Lumaro'
NOT brand = 'Lumaro'
NOT NOT brand = 'Lumaro'
'Lumaro' = brand
brand > 'I' AND brand <= 'Lumaro'
brand = 'It''s "new"'
brand = 'a\b'
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
id != 'back\slash'
id LIKE '%"%'
NOT id LIKE 'b%'
price < 2
price < 2.0
price >= -2
price = .0000001
price = 1e-7
price > 1e19
2 > price
-2.5 <= price
(price) > (2)
price BETWEEN -2 AND 1.5
price NOT BETWEEN -2 AND 1.5
price IN (1.5, 3)
price NOT IN (1.5, 3)
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
NOT (new IS TRUE)
new IS FALSE
new IS NOT FALSE
day = date '2026-01-01'
day < date '1970-01-01'
day != date '2026-01-01'
day BETWEEN date '2025-01-01' AND date '2026-12-31'
day >= timestamp '2026-01-01 00:00:00'
date = date '2026-01-01'
`date` < date '1970-01-01'
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

Test = Callable[[dict[str, Any]], bool | None]


def _of(column: str, test: Callable[[Any], bool]) -> Test:
    """Unknown where the value is missing, as in SQL."""
    return lambda row: None if row[column] is None else test(row[column])


# Conditions, and the same in plain Python.
IN_PYTHON: list[tuple[str, Test]] = [
    ("brand = 'Lumaro'", _of("brand", lambda brand: brand == "Lumaro")),
    ("brand != 'Lumaro'", _of("brand", lambda brand: brand != "Lumaro")),
    ("brand >= 'Halvick'", _of("brand", lambda brand: brand >= "Halvick")),
    ("brand NOT IN ('Lumaro', '')", _of("brand", lambda brand: brand not in ("Lumaro", ""))),
    ("`sub-category` LIKE '%oat%'", _of("sub-category", lambda name: "oat" in name)),
    ("`Made In` NOT LIKE 'P%'", _of("Made In", lambda land: not land.startswith("P"))),
    ("brand IS NULL", lambda row: row["brand"] is None),
    ("price > 1.5", _of("price", lambda price: price > 1.5)),
    ("price BETWEEN -2 AND 1.5", _of("price", lambda price: -2 <= price <= 1.5)),
    ("weight = 0.1", _of("weight", lambda weight: weight == 0.1)),
    ("weight <= 0.1", _of("weight", lambda weight: weight <= 0.1)),
    ("weight IN (0.4, 0.1)", _of("weight", lambda weight: weight in (0.1, 0.4))),
    ("stock <> 1", _of("stock", lambda stock: stock != 1)),
    ("grade < 127", _of("grade", lambda grade: grade < 127)),
    ("stock < 1.5", _of("stock", lambda stock: stock < 1.5)),
    ("stock > -9223372036854775808", _of("stock", lambda stock: True)),
    ("stock = 0.5", _of("stock", lambda stock: False)),
    ("stock != 0.5", _of("stock", lambda stock: True)),
    ("stock NOT IN (0, 0.5)", _of("stock", lambda stock: stock != 0)),
    ("stock BETWEEN -1e30 AND 0.5", _of("stock", lambda stock: stock <= 0)),
    ("grade > -129", _of("grade", lambda grade: True)),
    ("grade >= 300", _of("grade", lambda grade: False)),
    ("grade IN (0.5, 300)", _of("grade", lambda grade: False)),
    ("weight < 1e300", _of("weight", lambda weight: True)),
    ("array_has(years, 2025.5)", _of("years", lambda years: False)),
    ("new", _of("new", lambda new: new)),
    ("new IS TRUE", lambda row: row["new"] is True),
    ("new IS NOT FALSE", lambda row: row["new"] is not False),
    ("day < date '2026-01-01'", _of("day", lambda day: day < date(2026, 1, 1))),
    ("added != timestamp '2026-01-01 12:00:00'", _of("added", lambda time: time != TIMES[0])),
    ("seen = timestamp '2026-01-01 12:00:00Z'", _of("seen", lambda time: time == UTC[0])),
    ("shown = timestamp '2026-01-01 12:00:00Z'", _of("shown", lambda time: time == UTC[0])),
    ("shown > date '2026-01-01'", _of("shown", lambda time: time >= UTC[5])),  # midnight in Berlin
    ("shown = timestamp '2026-01-01 01:00:00'", _of("shown", lambda time: time == UTC[5])),
    ("far != timestamp '2026-01-01 14:00:00+02:00'", _of("far", lambda time: time != UTC[0])),
    ("sold >= timestamp '2025-01-01'", _of("sold", lambda time: time >= datetime(2025, 1, 1))),
    ("array_has(sizes, 'M')", _of("sizes", lambda sizes: "M" in sizes)),
    ("array_has(years, -5)", _of("years", lambda years: -5 in years)),
    ("array_has(times, timestamp '2025-01-01')", _of("times", lambda times: datetime(2025, 1, 1) in times)),
]


def table() -> pa.Table:
    vectors = pa.FixedSizeListArray.from_arrays(pa.array(np.eye(6, 8, dtype=np.float16).ravel()), 8)
    arrays = [pa.array(values, kind) for values, kind in VALUES.values()]
    rows = pa.Table.from_arrays([*arrays, vectors], [*VALUES, "vector_0"])
    return rows.cast(rows.schema.set(0, pa.field("id", pa.string(), nullable=False)))


def condition(filter: Any) -> Condition | None:
    return read_condition(filter, TYPES)


def met_by(test: Test) -> list[str]:
    return sorted(row["id"] for row in ROWS if test(row))


def random_condition(generator: random.Random, depth: int) -> tuple[str, Test]:
    """A nested condition, and the same in plain Python, by SQL's logic of true, false and unknown."""
    if depth == 0 or generator.random() < 0.2:
        return generator.choice(IN_PYTHON)
    parts = [random_condition(generator, depth - 1) for _ in range(generator.choice([2, 2, 3]))]
    word = generator.choice(["AND", "OR"])
    text = f" {word} ".join(f"({text})" for text, _ in parts)
    join = _all if word == "AND" else _any
    if generator.random() < 0.5:
        return text, lambda row: join([test(row) for _, test in parts])
    return f"NOT ({text})", lambda row: _not(join([test(row) for _, test in parts]))


def _all(truths: list[bool | None]) -> bool | None:
    return False if False in truths else None if None in truths else True


def _any(truths: list[bool | None]) -> bool | None:
    return True if True in truths else None if None in truths else False


def _not(truth: bool | None) -> bool | None:
    return None if truth is None else not truth
