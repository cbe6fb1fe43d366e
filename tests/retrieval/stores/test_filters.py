"""Filters find the same in every database, missing values included, and what SQLite finds by the same text."""

import random

import pytest

from hf_fashion.retrieval.stores.filters import MAX_COMPARISONS, MAX_DEPTH, read_condition
from hf_fashion.retrieval.stores.lance.store import LanceStore
from hf_fashion.retrieval.stores.milvus.store import MilvusStore
from tests.retrieval.stores.filtered_table import CONDITIONS, Oracle, columns, table


@pytest.fixture(scope="module")
def stores(tmp_path_factory, milvus_server):
    """LanceDB without and with an index of each column, and Milvus, with the same rows."""
    rows = table()
    made = [
        LanceStore.create(str(tmp_path_factory.mktemp("lance")), rows.schema),
        LanceStore.create(str(tmp_path_factory.mktemp("indexed")), rows.schema),
        MilvusStore.create(f"milvus+{milvus_server}/filters", rows.schema),
    ]
    for store in made:
        store.upsert(rows)
    made[1].build_index(["vector_0"], "IVF_HNSW_SQ")
    return made


@pytest.fixture(scope="module")
def oracle():
    return Oracle()


def found(store, condition) -> list[str]:
    return sorted(store.read(["id"], read_condition(condition, columns()))["id"].to_pylist())


@pytest.mark.parametrize("condition", CONDITIONS)
def test_every_store_finds_the_same(stores, oracle, condition):
    lance, indexed, milvus = (found(store, condition) for store in stores)
    assert lance == indexed == milvus
    assert 0 < len(lance) < 6  # a wrong answer can be seen
    if oracle.reads(condition):
        assert lance == oracle.find(condition)


def random_condition(generator: random.Random, depth: int) -> str:
    if depth == 0 or generator.random() < 0.2:
        return generator.choice([condition for condition in CONDITIONS if Oracle.reads(condition)])
    parts = [f"({random_condition(generator, depth - 1)})" for _ in range(2)]
    return f"{generator.choice(['', 'NOT '])}({generator.choice([' AND ', ' OR ']).join(parts)})"


@pytest.mark.parametrize("seed", range(60))
def test_nested_conditions_find_the_same(stores, oracle, seed):
    condition = random_condition(random.Random(seed), 3)
    for store in stores:
        assert found(store, condition) == oracle.find(condition), condition


@pytest.mark.parametrize(
    ("filter", "condition"),
    [
        ({"brand": "Lumaro"}, "brand = 'Lumaro'"),
        ({"brand": ["Lumaro", "", None]}, "brand IN ('Lumaro', '') OR brand IS NULL"),
        ({"brand": {"!=": "Lumaro"}, "price": {">=": -2, "<": 3}}, "brand != 'Lumaro' AND price >= -2 AND price < 3"),
        ({"Made In": {"not in": ["IT", "PT"]}}, "`Made In` NOT IN ('IT', 'PT')"),
        ({"brand": {"like": "%a%"}}, "brand LIKE '%a%'"),
        ({"brand": {"not like": "%a%"}}, "brand NOT LIKE '%a%'"),
        ({"brand": None}, "brand IS NULL"),
        ({"brand": {"!=": None}}, "brand IS NOT NULL"),
        ({"new": True}, "new"),
        ({"sizes": "M"}, "array_has(sizes, 'M')"),
        ({"sizes": ["L", "it's"]}, "array_has(sizes, 'L') OR array_has(sizes, 'it''s')"),
        ({"sizes": {"!=": ["L", "it's"]}}, "NOT array_has(sizes, 'L') AND NOT array_has(sizes, 'it''s')"),
        ({"stock": 2**62}, "stock = 4611686018427387904"),
    ],
)
def test_a_dict_finds_what_its_condition_finds(stores, oracle, filter, condition):
    for store in stores:
        assert found(store, filter) == oracle.find(condition)


def test_text_cannot_leave_its_quotes(stores):
    for name in table()["id"].to_pylist():
        for attack in (name + '" or id != "', name + "\\", '\\" or id != "', name + "' OR 'a' = 'a", name + "\n"):
            for store in stores:
                assert found(store, {"id": attack}) == found(store, f"id = '{attack.replace(chr(39), 2 * chr(39))}'")
                assert found(store, {"id": attack}) == []


@pytest.mark.parametrize("value", [7, ["brand = 'x'"], True])
def test_a_filter_is_text_or_a_dict(value):
    with pytest.raises(ValueError, match="`filter` must be SQL text or a dict, got"):
        read_condition(value, columns())


def test_no_filter_is_no_condition():
    assert read_condition(None, columns()) is None


def test_many_conditions_are_refused_before_a_database_sees_them():
    many = " OR ".join(["price = 1"] * (MAX_COMPARISONS + 1))
    with pytest.raises(ValueError, match=rf"it has {MAX_COMPARISONS + 1} comparisons, at most {MAX_COMPARISONS} are"):
        read_condition(many, columns())
    deep = "price = 1"
    for level in range(MAX_DEPTH + 2):
        deep = f"({deep}) {('AND', 'OR')[level % 2]} new"
    with pytest.raises(ValueError, match=rf"nested more than {MAX_DEPTH} levels deep"):
        read_condition(deep, columns())


def test_the_largest_filter_is_answered_by_every_store(stores):
    many = " OR ".join(["price = 1.5"] * MAX_COMPARISONS)
    assert all(found(store, many) == ["a"] for store in stores)
    assert all(found(store, {"id": ["a", *map(str, range(9_999))]}) == ["a"] for store in stores)


def test_rows_are_those_that_were_written(stores):
    for store in stores:
        rows = store.read(table().column_names)
        assert rows.schema == table().schema
        assert rows.sort_by("id").equals(table().sort_by("id"))
