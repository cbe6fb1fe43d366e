"""Search by a store: pages of a long list miss nothing, also where many products have the same photo."""

import pytest
import torch

from hf_fashion.retrieval import search as gallery_search
from hf_fashion.retrieval.gallery import Gallery
from hf_fashion.retrieval.stores.milvus import reader
from tests.retrieval.galleries import METADATA, brute_force, ids, metadata


@pytest.fixture(autouse=True)
def never_in_memory(monkeypatch):
    monkeypatch.setattr(gallery_search, "EXACT_SEARCH_LIMIT", 0)


def with_twins(place, count: int = 300, twins: int = 200) -> Gallery:
    """A gallery where some products have one and the same vector, added in several commits and in no order."""
    generator = torch.Generator().manual_seed(0)
    rows = torch.randn(count, 16, generator=generator)
    order = torch.randperm(count, generator=generator)
    rows[order[:twins]] = rows[order[0]].clone()
    gallery = Gallery.create(place, {"image": 16}, METADATA)
    names, values = ids(count), metadata(count)
    for part in torch.randperm(count, generator=generator).split(100):
        own = {name: [column[row] for row in part] for name, column in values.items()}
        gallery.add([names[row] for row in part], {"image": rows[part]}, own)
    return gallery


def twin_query(gallery: Gallery) -> torch.Tensor:
    """A query near the vector that most products have."""
    vectors = gallery.vectors(ids(300), "image")
    return vectors.median(dim=0).values[None]


@pytest.mark.parametrize("kind", [None, "IVF_RQ"])
@pytest.mark.parametrize(
    ("condition", "allowed"),
    [
        (None, lambda number: True),
        ("brand = 'Lumaro' AND price < 250", lambda number: number % 3 == 0 and number < 250),
    ],
)
def test_pages_of_equal_products_miss_nothing(tmp_path, kind, condition, allowed):
    gallery = with_twins(tmp_path / "gallery")
    if kind:
        gallery.build_index(kind)
    query = twin_query(gallery)
    names = [name for number, name in enumerate(ids(300)) if allowed(number)]
    expected = brute_force(gallery, query[0], "image", 200, names)
    pages = [gallery.search(query, "image", end, condition).ids[0][-5:] for end in range(5, 61, 5)]
    assert [name for page in pages for name in page] == expected[:60]
    assert list(gallery.search(query, "image", 200, condition).ids[0]) == expected


def test_queries_in_one_call_are_settled_each_by_itself(tmp_path):
    gallery = with_twins(tmp_path / "gallery")
    queries = torch.cat([torch.eye(16)[:3], twin_query(gallery), torch.eye(16)[3:5]])
    results = gallery.search(queries, "image", 7, with_vectors=True)
    for number, query in enumerate(queries):
        assert list(results.ids[number]) == brute_force(gallery, query, "image", 7, ids(300))
        assert torch.equal(results.vectors[number], gallery.vectors(results.ids[number], "image"))


def test_the_limit_of_a_store_ends_the_search(milvus_uri, monkeypatch):
    monkeypatch.setattr(reader, "MAX_ROWS", 50)
    gallery = with_twins(milvus_uri, count=100, twins=90)
    vector = gallery.vectors(ids(100), "image").median(dim=0).values[None]
    scores = gallery.search(vector, "image", 20).scores
    assert scores.shape == (1, 20) and scores.unique().numel() == 1


def test_a_store_that_rounds_queries_finds_the_nearest_all_the_same(tmp_path, monkeypatch):
    """LanceDB compares in float16: neighbours that are nearer to each other than its error must not change places."""
    gallery = Gallery.create(tmp_path / "gallery", {"image": 8})
    generator = torch.Generator().manual_seed(1)
    rows = torch.randn(1, 8, generator=generator) + 0.02 * torch.randn(2000, 8, generator=generator)
    gallery.add([f"{number:04d}" for number in range(2000)], {"image": rows})
    queries = torch.randn(20, 8, generator=generator)
    long = gallery.search(queries, "image", 100)
    for top_k in (5, 10, 50):
        assert gallery.search(queries, "image", top_k).ids == tuple(row[:top_k] for row in long.ids)
    monkeypatch.setattr(gallery_search, "EXACT_SEARCH_LIMIT", 5000)
    assert gallery.search(queries, "image", 100).ids == long.ids
