"""What every store must do alike: filters find the rows that SQL finds, with indexes and without."""

import random
import re
from datetime import datetime
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest

from hf_fashion.retrieval.stores.base import damage
from hf_fashion.retrieval.stores.conditions.read import read_condition
from hf_fashion.retrieval.stores.lance.store import LanceStore
from hf_fashion.retrieval.stores.milvus.store import MilvusStore
from hf_fashion.retrieval.stores.opening import create_store
from tests.retrieval.stores.filtered_rows import (
    CONDITIONS,
    IN_PYTHON,
    ROWS,
    condition,
    met_by,
    random_condition,
    table,
)


@pytest.fixture(scope="module")
def lance(tmp_path_factory):
    store = LanceStore.create(str(tmp_path_factory.mktemp("lance")), table().schema)
    store.upsert(table())
    return store


@pytest.fixture(scope="module")
def stores(lance, tmp_path_factory, milvus_server):
    """All with the same rows: both databases, with indexes and without."""
    others = {
        "LanceDB, indexed": LanceStore.create(str(tmp_path_factory.mktemp("indexed")), table().schema),
        "Milvus": MilvusStore.create(f"milvus+{milvus_server}/filters", table().schema),
        "Milvus, indexed": MilvusStore.create(f"milvus+{milvus_server}/indexed_filters", table().schema),
    }
    for store in others.values():
        store.upsert(table())
    others["LanceDB, indexed"].build_index(["vector_0"], "IVF_HNSW_SQ")
    others["Milvus, indexed"].build_index(["vector_0"], "HNSW")
    return {"LanceDB": lance, **others}


def found(store, filter) -> list[str]:
    return sorted(store.read(["id"], condition(filter))["id"].to_pylist())


def assert_found(stores, filter, expected: list[str]) -> None:
    answers = {name: found(store, filter) for name, store in stores.items()}
    assert answers == {name: sorted(expected) for name in stores}


def test_rows_are_those_that_were_written(stores):
    for store in stores.values():
        rows = store.read(table().column_names)
        assert rows.schema == table().schema
        assert rows.sort_by("id").equals(table().sort_by("id"))


@pytest.mark.parametrize("text", CONDITIONS)
def test_filters_find_what_sql_finds(stores, lance, text):
    """LanceDB itself, without an index, reads the text for comparison."""
    expected = sorted(lance._table.search().where(text).select(["id"]).to_arrow()["id"].to_pylist())
    assert_found(stores, text, expected)


def test_the_conditions_tell_rows_apart(stores):
    """Each finds some and leaves some, so that a wrong answer can be seen."""
    assert [text for text in CONDITIONS if len(found(stores["Milvus"], text)) in (0, len(ROWS))] == []


@pytest.mark.parametrize(("text", "test"), IN_PYTHON, ids=[text for text, _ in IN_PYTHON])
def test_filters_find_what_plain_python_finds(stores, text, test):
    assert_found(stores, text, met_by(test))
    assert_found(stores, f"NOT {text}", met_by(lambda row: test(row) is False))


@pytest.mark.parametrize("seed", range(60))
def test_nested_conditions_find_what_plain_python_finds(stores, seed):
    text, test = random_condition(random.Random(seed), 3)
    assert_found(stores, text, met_by(test))


@pytest.mark.parametrize(
    ("filter", "expected"),
    [
        ({"brand": "Lumaro"}, ["a"]),
        ({"Brand": ["Lumaro", "Halvick"], "price": {"<": 0}}, ["b"]),
        ({"brand": None}, ["it's"]),
        ({"brand": {"!=": None}, "new": None}, ["back\\slash"]),
        ({"new": {"!=": True}}, ["b", "größe"]),
        ({"stock": {">": 0.5}, "grade": {"<": 300}}, ["a", "größe", 'say "x"']),
        ({"grade": [1, 1.5, 300]}, ["a", "größe"]),
        ({"grade": {"!=": 1.5}}, ["a", "b", "back\\slash", "größe", 'say "x"']),
        ({"day": "2026-01-01", "date": {">": "2025-12-31"}}, ["b", "back\\slash"]),
        ({"day": ["2026-01-01 00:00:00", "1999-12-31"]}, ["b", "back\\slash"]),
        ({"shown": {">": "2026-01-01"}}, ["a", "größe"]),
        ({"shown": {"<=": "2026-01-01T01:00:00"}, "far": {">": "1999-01-01T00:00:00Z"}}, ["größe", "it's"]),
        ({"times": "2025-01-01"}, ["it's"]),
        ({"sizes": "L"}, ["größe"]),
        ({"sizes": ["L", "it's"]}, ["back\\slash", "größe"]),
        ({"sizes": {"!=": ["M", "S"]}}, ["b", "back\\slash"]),
        ({"times": [datetime(2025, 1, 1), datetime(1999, 1, 1)]}, ["it's"]),
        ({"sub-category": {"like": "%oat%"}}, ["a", "back\\slash", "größe"]),
        ({"added": {">=": datetime(2026, 1, 1), "<": datetime(2026, 1, 1, 12)}}, ["größe"]),
    ],
)
def test_a_mapping_is_a_filter_too(stores, filter, expected):
    assert_found(stores, filter, sorted(expected))


@pytest.mark.parametrize(
    ("filter", "expected"),
    [
        ("price < 12.5", ["a", "c"]),
        ("price = 10.99", ["a"]),
        ("price != 10.990", ["b", "c"]),
        ("NOT price >= 10.995", ["a", "c"]),
        ("price IN (10.99, 19.9, 0.001)", ["a", "b"]),
        ("price < 1e30", ["a", "b", "c"]),
        ({"price": Decimal("10.99")}, ["a"]),
        ({"price": {">": 10.99}}, ["b"]),
        ({"price": {">": -1}}, ["a", "b", "c"]),
    ],
)
def test_decimals_are_compared_exactly(tmp_path, filter, expected):
    """LanceDB keeps them; Milvus refuses such a column."""
    prices = pa.array([Decimal("10.99"), Decimal("19.90"), Decimal("-0.10"), None], pa.decimal128(10, 2))
    rows = pa.table({"id": ["a", "b", "c", "d"], "price": prices, "vector_0": table()["vector_0"][:4]})
    store = LanceStore.create(str(tmp_path), rows.schema)
    store.upsert(rows)
    asked = read_condition(filter, {"price": rows.schema.field("price").type})
    assert sorted(store.read(["id"], asked)["id"].to_pylist()) == expected
    with pytest.raises(ValueError, match="Milvus cannot keep the metadata column 'price' of type decimal128"):
        MilvusStore.create(f"milvus+file:{tmp_path}/gallery.db", rows.schema)


def test_text_cannot_leave_its_quotes(stores):
    for row in ROWS:
        for attack in ('" or id != "', "\\", '\\" or id != "', "\n", "' OR id != '", "'", "\\' OR 1=1 --"):
            assert_found(stores, {"id": row["id"] + attack}, [])


ODD = [
    "a\nb",
    "a.b",
    "a*b(c)",
    "axb",
    "a[b]",
    "a^b$",
    "ab",
    "",
    "größe b",
    "A.B",
    "a😀b",
    "\n",
    "a\\b",
    'a"b',
    "a'b",
    "a\tb",
]
PATTERNS = [
    "a%b",
    "a_b%",
    "a.%b",
    "a*%",
    "%(c)%",
    "%[b%",
    "%^%",
    "%",
    "_%b",
    "%_b",
    "%\n%",
    "%ö%",
    "a_b",
    "%$%",
    "%'%",
]


@pytest.mark.parametrize("place", ["LanceDB", "Milvus"], indirect=True)
def test_a_pattern_means_the_same_with_odd_characters(place):
    rows = pa.table({"id": ODD, "brand": ODD, "vector_0": table()["vector_0"].combine_chunks().take([0] * len(ODD))})
    store = create_store(place, rows.schema)
    store.upsert(rows)
    for pattern in PATTERNS:
        letters = {"%": ".*", "_": "."}
        wanted = re.compile("".join(letters.get(one, re.escape(one)) for one in pattern), re.DOTALL)
        assert found(store, {"brand": {"like": pattern}}) == sorted(filter(wanted.fullmatch, ODD)), pattern


@pytest.mark.parametrize("word", ["AND", "OR"])
def test_the_longest_conditions_are_answered(stores, word):
    text = f" {word} ".join(["new"] * 1200)
    assert_found(stores, text, ["a", 'say "x"'])
    assert_found(stores, {"brand": ["Lumaro", *map(str, range(9999))]}, ["a"])


@pytest.mark.parametrize("filter", ["price < 2", "NOT array_has(sizes, 'M')", "NOT (new IS TRUE)"])
def test_a_search_is_filtered_as_a_read_is(stores, filter):
    queries = np.eye(2, 8, dtype=np.float32)
    for store in stores.values():
        ids = found(store, filter)
        hits = store.nearest(queries, "vector_0", 6, ["id"], condition(filter))
        assert sorted(hits["id"].to_pylist()) == sorted(ids * 2)
        assert sorted(hits["query_index"].to_pylist()) == [0] * len(ids) + [1] * len(ids)


def test_every_store_states_its_longest_list(stores):
    assert [store.max_top_k for store in stores.values()] == [None, None, 16_384, 16_384]


def test_the_error_of_damage_gives_no_advice_that_loses_data():
    message = str(damage("shop", "a file is missing"))
    assert message.startswith("the gallery at shop is damaged: a file is missing. Check that")
    assert "delete" not in message
