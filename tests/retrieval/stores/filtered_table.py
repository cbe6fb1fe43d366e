"""Six rows with columns of every type, missing values among them, and conditions that tell them apart."""

import json
import sqlite3
from datetime import date, datetime, timezone

import numpy as np
import pyarrow as pa


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


def columns() -> dict[str, pa.DataType]:
    """Name and type of each column that a filter may name."""
    return {name: kind for name, (_, kind) in VALUES.items()}


class Oracle:
    """SQLite, which reads the text itself: what conditions without dates find."""

    def __init__(self):
        self._database = sqlite3.connect(":memory:")
        self._database.execute("PRAGMA case_sensitive_like = ON")
        self._database.create_function(
            "array_has", 2, lambda items, value: None if items is None else value in json.loads(items)
        )
        names = [name for name, kind in columns().items() if not pa.types.is_temporal(kind)]
        self._database.execute(f"CREATE TABLE t ({', '.join(f'`{name}`' for name in names)})")
        for row in zip(*(VALUES[name][0] for name in names), strict=True):
            cells = [json.dumps(cell) if isinstance(cell, list) else cell for cell in row]
            self._database.execute(f"INSERT INTO t VALUES ({', '.join('?' * len(cells))})", cells)

    def find(self, condition: str) -> list[str]:
        """Ids of the rows for which a condition is true, sorted."""
        return sorted(name for (name,) in self._database.execute(f"SELECT id FROM t WHERE {condition}"))

    @staticmethod
    def reads(condition: str) -> bool:
        """Whether a condition is without dates and timestamps, which SQLite lacks."""
        return "date '" not in condition and "timestamp '" not in condition
