"""The largest scores of many, ties included, against sorting whole rows."""

import pyarrow as pa
import pytest
import torch
from torch.nn.functional import normalize

from hf_fashion.retrieval import exact_search
from hf_fashion.retrieval.exact_search import ExactSearch
from hf_fashion.retrieval.vector_column import StoredVectors


NAMES = [f"p{number:02d}" for number in range(50)]


def tied_search(seed: int = 0) -> ExactSearch:
    """Fifty products, in no order, of which many have equal vectors."""
    generator = torch.Generator().manual_seed(seed)
    vectors = normalize(torch.randint(-1, 2, (50, 3), generator=generator).float() + 0.1, dim=-1)
    order = torch.randperm(50, generator=generator)
    products = pa.table({"id": [NAMES[number] for number in order]})
    search = ExactSearch(products)
    search.hold("image", products["id"], stored(vectors[order]))
    return search


def stored(vectors: torch.Tensor) -> StoredVectors:
    half = vectors.half()
    return StoredVectors(half, half.float().norm(dim=-1))


def found(search: ExactSearch, queries: torch.Tensor, top_k: int, allowed: list[str] | None) -> list[dict[str, float]]:
    """For each query its products and their scores."""
    allowed_ids = None if allowed is None else pa.chunked_array([allowed], pa.string())
    rows, query, scores = search.search("image", queries, top_k, allowed_ids)
    lists = [{} for _ in queries]
    names = search.products["id"].take(rows.numpy()).to_pylist()
    for number, name, score in zip(query.tolist(), names, scores.tolist(), strict=True):
        lists[number][name] = score
    return lists


def sorted_rows(search: ExactSearch, query: torch.Tensor, top_k: int, allowed: list[str]) -> dict[str, float]:
    vectors = search.directions_of("image", NAMES)
    scores = dict(zip(NAMES, (vectors.double() @ query.double()).tolist(), strict=True))
    return {name: scores[name] for name in sorted(allowed, key=lambda name: (-round(scores[name], 5), name))[:top_k]}


@pytest.mark.parametrize("top_k", [1, 2, 10, 50, 60])
@pytest.mark.parametrize("allowed", [None, NAMES[5:40:3], []], ids=["all", "some", "none"])
def test_it_finds_what_sorting_finds(top_k, allowed, monkeypatch):
    monkeypatch.setattr(exact_search, "QUERIES_AT_ONCE", 3)
    search = tied_search()
    queries = normalize(torch.randn(7, 3, generator=torch.Generator().manual_seed(1)), dim=-1)
    for query, products in zip(queries, found(search, queries, top_k, allowed), strict=True):
        expected = sorted_rows(search, query, top_k, NAMES if allowed is None else allowed)
        assert products == pytest.approx(expected, abs=1e-5)


def of_few_photos(count: int, photos: int) -> tuple[ExactSearch, torch.Tensor]:
    """Products that share photos, such as a shop's placeholder, and queries close to the photos."""
    generator = torch.Generator().manual_seed(0)
    vectors = normalize(torch.randn(photos, 512, generator=generator), dim=-1)
    products = pa.table({"id": [f"p{number:04d}" for number in range(count)]})
    search = ExactSearch(products)
    search.hold("image", products["id"], stored(vectors[torch.arange(count) % photos]))
    noise = torch.randn(320, 512, generator=generator)
    return search, normalize(vectors[torch.arange(320) % photos] + 0.05 * noise, dim=-1)


@pytest.mark.parametrize(("count", "photos"), [(33, 1), (2051, 1), (600, 7), (1200, 300)])
def test_equal_products_come_by_id_and_a_query_finds_the_same_in_a_batch(count, photos):
    search, queries = of_few_photos(count, photos)
    batch = [one for part in queries.split(32) for one in found(search, part, 10, None)]
    for number, query in enumerate(queries):
        (single,) = found(search, query[None], 10, None)
        assert single == batch[number]
        nearest = [f"p{place:04d}" for place in range(number % photos, count, photos)][:10]
        assert sorted(single, key=lambda name: (-single[name], name))[: len(nearest)] == nearest
        assert len({single[name] for name in nearest}) == 1


def test_vectors_are_those_of_the_ids():
    search = ExactSearch(pa.table({"id": ["c", "a", "b"]}))
    vectors = normalize(torch.randn(3, 4, generator=torch.Generator().manual_seed(2)), dim=-1)
    search.hold("image", pa.chunked_array([["b", "c"], ["a"]]), stored(vectors))
    assert search.products["id"].to_pylist() == ["a", "b", "c"]
    expected = normalize(vectors.half().float()[[1, 2, 1]], dim=-1)
    torch.testing.assert_close(search.directions_of("image", ["c", "a", "c"]), expected)
    with pytest.raises(ValueError, match="'d' is not"):
        search.directions_of("image", ["c", "d"])


def test_columns_may_have_more_than_2_gb_of_text():
    """The types count that far; the values stay."""
    rows = {
        "id": ["c", "a", "b"],
        "title": ["coat", None, "shirt"],
        "tags": [["red"], [], None],
        "price": [1.5, 2.0, None],
    }
    products = ExactSearch(pa.concat_tables([pa.table(rows).slice(0, 2), pa.table(rows).slice(2)])).products
    assert products.to_pylist() == sorted(pa.table(rows).to_pylist(), key=lambda row: row["id"])
    types = [str(field.type) for field in products.schema]
    assert types == ["large_string", "large_string", "large_list<item: large_string>", "double"]


def test_vectors_of_other_products_are_not_taken():
    search = ExactSearch(pa.table({"id": ["c", "a", "b"]}))
    with pytest.raises(LookupError, match="vectors of space 'image' are not those of the products"):
        search.hold("image", pa.chunked_array([["a", "b", "d"]]), stored(torch.eye(3)))
    assert "image" not in search
