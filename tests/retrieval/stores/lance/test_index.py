"""Searches through an index find what searches without one find, before and after products change."""

import datetime
import decimal
import shutil

import pyarrow as pa
import pytest
import torch
from torch.nn.functional import normalize

from hf_fashion.retrieval import search as gallery_search
from hf_fashion.retrieval.gallery import Gallery
from hf_fashion.retrieval.stores.lance import index as lance_index
from hf_fashion.retrieval.stores.lance import upkeep
from tests.retrieval.galleries import METADATA, brute_force, filled, ids, metadata


SPACE = "neckline"
SPACES = {SPACE: 32, "sleeve length": 16}
KINDS = ["IVF_RQ", "IVF_HNSW_SQ"]


def vectors(count: int, seed: int = 0) -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return {space: torch.randn(count, dimension, generator=generator) for space, dimension in SPACES.items()}


def of_300_products(uri) -> Gallery:
    gallery = Gallery.create(uri, SPACES, METADATA)
    gallery.add(ids(300), vectors(300), metadata(300))
    return gallery


@pytest.fixture(autouse=True)
def never_in_memory(monkeypatch):
    monkeypatch.setattr(gallery_search, "EXACT_SEARCH_LIMIT", 0)


@pytest.fixture(params=KINDS)
def indexed(request, tmp_path) -> Gallery:
    gallery = of_300_products(tmp_path / "gallery")
    gallery.build_index(request.param)
    return gallery


def found(gallery: Gallery, query: torch.Tensor, top_k: int, condition: str | None = None) -> list[str]:
    return list(gallery.search(query[None], SPACE, top_k, condition).ids[0])


@pytest.mark.parametrize("top_k", [1, 10])
@pytest.mark.parametrize(
    ("condition", "allowed"),
    [
        (None, lambda number: True),
        ("brand = 'Lumaro' AND price < 200", lambda number: number % 3 == 0 and number < 200),
        ("`sub-category` = 'coat' OR brand IS NULL", lambda number: number % 2 == 1 or number % 3 == 2),
        ("id IN ('p001', 'p004')", lambda number: number in (1, 4)),
        ("price > 1000", lambda number: False),
    ],
)
def test_an_index_finds_what_a_plain_loop_finds(indexed, condition, allowed, top_k):
    names = [name for number, name in enumerate(ids(300)) if allowed(number)]
    hits = wanted = 0
    for query in vectors(5, seed=1)[SPACE]:
        expected = brute_force(indexed, query, SPACE, top_k, names)
        hits += len(set(expected) & set(found(indexed, query, top_k, condition)))
        wanted += len(expected)
    assert hits >= 0.9 * wanted


def test_columns_that_no_index_can_hold_are_filtered_without(tmp_path):
    one = {
        "price": (pa.decimal128(8, 2), decimal.Decimal("1.10")),
        "lasts": (pa.duration("us"), datetime.timedelta(days=1)),
        "code": (pa.binary(), b"a"),
        "size": (pa.struct([("width", pa.int64())]), {"width": 1}),
        "box": (pa.list_(pa.int64(), 2), [1, 2]),
        "brand": (pa.dictionary(pa.int32(), pa.string()), "Lumaro"),
        "stock": (pa.map_(pa.string(), pa.int64()), [("S", 1)]),
        "season": (pa.string_view(), "summer"),
        "on_sale": (pa.bool_(), True),
    }
    gallery = Gallery.create(
        tmp_path / "gallery", SPACES, pa.schema([(name, kind) for name, (kind, _) in one.items()])
    )
    gallery.add(ids(300), vectors(300), {name: [value] * 299 + [None] for name, (_, value) in one.items()})
    gallery.build_index()
    assert list(gallery.info()["index"]) == list(SPACES)
    indexed = {index.columns[0] for index in gallery._store._table.list_indices()}
    assert indexed & one.keys() == {"season", "on_sale"}
    for name in one:
        assert found(gallery, vectors(1)[SPACE][0], 9, f"{name} IS NULL") == ["p299"]


@pytest.fixture(scope="module")
def in_several_groups(tmp_path_factory) -> Gallery:
    """20,000 products in several groups of an index; prices count the products."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(gallery_search, "EXACT_SEARCH_LIMIT", 0)
        schema = pa.schema([("price", pa.float64())])
        gallery = Gallery.create(tmp_path_factory.mktemp("groups") / "gallery", {"image": 8}, schema)
        rows = torch.randn(20_000, 8, generator=torch.Generator().manual_seed(0))
        gallery.add([f"{number:05d}" for number in range(20_000)], {"image": rows}, {"price": [*range(20_000)]})
        gallery.build_index()
    return gallery


@pytest.mark.parametrize("condition", ["price < 7", "price < 0"])
def test_where_a_filter_leaves_too_few_nearby_all_groups_are_searched(in_several_groups, monkeypatch, condition):
    monkeypatch.setattr(lance_index, "GROUPS_SEARCHED_FILTERED", 1)
    wanted = [f"{number:05d}" for number in range(7)] if condition == "price < 7" else []
    results = in_several_groups.search(torch.eye(8)[:3], "image", 7, condition)
    assert [sorted(names) for names in results.ids] == [wanted] * 3


def test_without_a_filter_the_nearest_groups_are_enough(in_several_groups, monkeypatch):
    query = torch.eye(8)[:1]
    everywhere = in_several_groups.search(query, "image", 200).ids[0]
    monkeypatch.setattr(lance_index, "GROUPS_SEARCHED", 1)
    nearby = in_several_groups.search(query, "image", 200).ids[0]
    assert len(nearby) == 200
    assert 0 < len(set(nearby) & set(everywhere)) < 200


def test_scores_are_cosines_with_the_stored_vectors(indexed):
    query = vectors(1, seed=1)[SPACE]
    results = indexed.search(query, SPACE, 10)
    expected = indexed.vectors(results.ids[0], SPACE) @ normalize(query[0], dim=0)
    torch.testing.assert_close(results.scores[0], expected, atol=1e-6, rtol=0)


def test_products_that_change_after_the_build_are_found(indexed):
    query = vectors(1, seed=3)[SPACE][0]
    new = vectors(2)
    new[SPACE][:] = torch.stack([query, query + 0.01])
    indexed.add(["p003", "p300"], new, metadata(2))
    assert found(indexed, query, 2) == ["p003", "p300"]
    assert found(indexed, query, 2, "price = 1") == ["p300", "p001"]
    indexed.delete(["p003"])
    assert found(indexed, query, 1) == ["p300"]
    indexed.compact()
    assert found(indexed, query, 1) == ["p300"]
    assert indexed.info()["index"][SPACE]["products"] == len(indexed) == 300


def test_new_products_are_taken_into_the_index_when_they_are_many(indexed, monkeypatch):
    monkeypatch.setattr(upkeep, "MAX_UNINDEXED", 20)
    indexed.add(ids(15, first=300), vectors(15, seed=1), metadata(15))
    assert indexed.info()["index"][SPACE]["products"] == 300
    indexed.add(ids(15, first=315), vectors(15, seed=2), metadata(15))
    assert indexed.info()["index"][SPACE]["products"] == 330


@pytest.mark.parametrize("kind", KINDS)
def test_info_has_the_index(tmp_path, kind):
    gallery = of_300_products(tmp_path / "gallery")
    assert gallery.info()["index"] == {}
    gallery.build_index(kind)
    assert Gallery.open(tmp_path / "gallery").info()["index"] == {
        space: {"kind": kind, "products": 300} for space in SPACES
    }


def test_an_index_replaces_another_one(indexed):
    for kind in KINDS:
        indexed.build_index(kind)
        assert [one["kind"] for one in indexed.info()["index"].values()] == [kind, kind]


def test_metadata_of_every_type_can_be_indexed(tmp_path):
    values = {
        "sizes": ([["S", "M"], None] * 10, pa.list_(pa.string())),
        "years": ([[2025, 2026], []] * 10, pa.list_(pa.int64())),
        "weights": ([[0.5], [1.5]] * 10, pa.list_(pa.float64())),
        "new": ([True, None] * 10, pa.bool_()),
        "added": ([0, 86_400_000] * 10, pa.timestamp("ms")),
        "text": (["a", "b"] * 10, pa.large_string()),
    }
    schema = pa.schema([(name, kind) for name, (_, kind) in values.items()])
    gallery = Gallery.create(tmp_path / "gallery", {"image": 32}, schema)
    gallery.add(ids(20), {"image": vectors(20)[SPACE]}, {name: column for name, (column, _) in values.items()})
    gallery.build_index()
    query = vectors(1, seed=1)[SPACE]
    for condition in (
        "array_has(sizes, 'M')",
        "array_has(years, 2026)",
        "array_has(weights, 0.5)",
        "new = true",
        "added < timestamp '1970-01-02'",
        "text = 'a'",
    ):
        assert sorted(gallery.search(query, "image", 20, condition).ids[0]) == ids(20)[::2], condition


def test_an_unknown_kind_is_refused(indexed):
    with pytest.raises(ValueError, match=r"`kind` must be one of \['IVF_RQ', 'IVF_HNSW_SQ'\], got 'LSH'"):
        indexed.build_index("LSH")


def test_a_gallery_that_is_searched_in_memory_needs_no_index(tmp_path, monkeypatch):
    monkeypatch.setattr(gallery_search, "EXACT_SEARCH_LIMIT", 100)
    with pytest.raises(ValueError, match="this one has 40 and is searched exactly, in memory"):
        filled(tmp_path / "gallery").build_index()


def test_a_dimension_that_one_bit_codes_cannot_hold_is_named(tmp_path):
    gallery = filled(tmp_path / "gallery")
    with pytest.raises(ValueError, match=r"'IVF_RQ' needs dimensions divisible by 8, got 5. Choose 'IVF_HNSW_SQ'"):
        gallery.build_index()
    gallery.build_index("IVF_HNSW_SQ")


def test_an_index_whose_files_are_missing_is_noticed_and_can_be_built_again(indexed, tmp_path):
    query = vectors(1)[SPACE][0]
    shutil.rmtree(tmp_path / "gallery" / "gallery.lance" / "_indices")
    gallery = Gallery.open(tmp_path / "gallery")
    with pytest.raises(OSError, match=r"its products are kept\. Build it again with `build_index`"):
        found(gallery, query, 1)
    gallery.build_index()
    assert found(gallery, query, 1) == ["p000"]
