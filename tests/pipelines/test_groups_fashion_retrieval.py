"""Groups: each shows its best candidate, and queries with too few groups are searched for longer lists."""

import pyarrow as pa
import pytest
import torch

from hf_fashion.pipelines.groups_fashion_retrieval import best_of_groups
from hf_fashion.pipelines.search_fashion_retrieval import CandidateFinder
from hf_fashion.retrieval import search as gallery_search
from hf_fashion.retrieval.gallery import Gallery
from hf_fashion.retrieval.results import RetrievalResults
from hf_fashion.retrieval.stores.milvus import reader as milvus_reader
from hf_fashion.retrieval.stores.milvus.store import MilvusStore
from tests.pipelines.searches import ids_of


SPACE = "image"


def test_the_first_of_each_value_is_kept_and_all_without_a_value():
    brands = [["x", None, "x", None, "y"], ["y", "y", "z"]]
    ids = [[f"{row}{place}" for place in range(len(values))] for row, values in enumerate(brands)]
    scores = torch.tensor([[5.0, 4, 3, 2, 1], [3, 2, 1, -torch.inf, -torch.inf]])
    metadata = [[{"brand": value} for value in values] for values in brands]
    best = best_of_groups(RetrievalResults(ids, scores, metadata), "brand")
    assert best.ids == (("00", "01", "03", "04"), ("10", "12"))
    assert best.initial_ranks.tolist() == [[1, 2, 3, 4], [1, 2, 0, 0]]


def fan(uri) -> Gallery:
    """40 products at 0, 2, 4, ... degrees: the first 30 are of one brand, each of the others has its own."""
    gallery = Gallery.create(uri, {SPACE: 2}, pa.schema([("brand", pa.string())]))
    brands = ["one"] * 30 + [f"b{number}" for number in range(30, 40)]
    gallery.add([f"p{number:02d}" for number in range(40)], {SPACE: at(torch.arange(40) * 2)}, {"brand": brands})
    return gallery


def at(degrees: torch.Tensor) -> torch.Tensor:
    return torch.stack([degrees.deg2rad().cos(), degrees.deg2rad().sin()], dim=-1)


# Nearest first: the first query finds p39, p38, ..., the second one p00, p01, ...
QUERIES = at(torch.tensor([80, -2]))


@pytest.mark.parametrize(
    ("number", "expected", "asked"),
    [
        (3, [["p39", "p38", "p37"], ["p00", "p30", "p31"]], [(2, 3), (1, 12), (1, 48)]),
        (10, [[f"p{n}" for n in range(39, 29, -1)], ["p00", *(f"p{n}" for n in range(30, 39))]], [(2, 10), (1, 40)]),
        (
            12,  # there are 11 brands
            [[f"p{n}" for n in range(39, 28, -1)], ["p00", *(f"p{n}" for n in range(30, 40))]],
            [(2, 12), (1, 48), (1, 48)],
        ),
    ],
)
def test_only_queries_with_too_few_groups_are_searched_again_and_alone(tmp_path, monkeypatch, number, expected, asked):
    finder, calls, search = CandidateFinder(fan(tmp_path / "fan")), [], Gallery.search

    def counted(gallery, vectors, space, top_k, *options, **more):
        calls.append((len(vectors), top_k))
        return search(gallery, vectors, space, top_k, *options, **more)

    monkeypatch.setattr(Gallery, "search", counted)
    together = finder.search(QUERIES, SPACE, number, group_by="brand")
    assert [ids_of(found) for found in together.to_dicts()] == expected
    assert calls == asked
    alone = [finder.search(query[None], SPACE, number, group_by="brand").to_dicts()[0] for query in QUERIES]
    assert together.to_dicts() == alone


def test_groups_are_looked_for_as_far_as_the_gallery_lists_products(milvus_file, monkeypatch, caplog):
    for module, name, value in (
        (gallery_search, "EXACT_SEARCH_LIMIT", 0),
        (milvus_reader, "MAX_ROWS", 32),
        (MilvusStore, "max_top_k", 32),
    ):
        monkeypatch.setattr(module, name, value)
    finder = CandidateFinder(fan(milvus_file))
    found = finder.search(QUERIES, SPACE, 4, group_by="brand")
    assert [ids_of(products) for products in found.to_dicts()] == [["p39", "p38", "p37", "p36"], ["p00", "p30", "p31"]]
    (record,) = caplog.records
    assert "`group_by` 'brand' finds 3 groups among the 32 products of the longest list" in record.getMessage()
    with pytest.raises(ValueError, match="`top_k` must be at most 32"):
        finder.search(QUERIES, SPACE, 33, group_by="brand")
