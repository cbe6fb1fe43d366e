"""Queries of a batch are searched and re-ranked together, and find what each finds by itself."""

import pytest
import torch

from hf_fashion.retrieval.gallery import Gallery
from tests.pipelines.searches import COUNT, ids_of
from tests.tiny_e2 import tiny_images
from tests.tiny_feature_reasoning import tiny_feature_reasoning


QUERIES = [*tiny_images(3, seed=9), "a red dress", {"green shirt": 1, "buttons": -0.5}, *tiny_images(1)]


def backwards(query, candidates, mask):
    return -torch.einsum("qd,qkd->qk", query, candidates)


def places(results: list[dict]) -> list[tuple]:
    return [(result["id"], result["rank"], result["initial_rank"]) for result in results]


@pytest.mark.parametrize("reranker", [None, backwards, "query_expansion", "k_reciprocal", tiny_feature_reasoning()])
@pytest.mark.parametrize(
    "options",
    [{"filter": "price > 3"}, {"group_by": "style", "top_k": 7}, {"threshold": 0.975, "top_k": COUNT}],
    ids=["filter", "group_by", "threshold"],
)
def test_a_batch_gives_what_single_calls_give(reranker, options, make):
    search = make(reranker=reranker, **options)
    expected = [search(query) for query in QUERIES]
    found = search(QUERIES, batch_size=len(QUERIES))
    assert list(map(places, found)) == list(map(places, expected))
    if "threshold" in options:  # lists of any length, none among them
        assert [] in found and len(set(map(len, found))) > 2
    for together, alone in zip(found, expected, strict=True):
        assert [result["score"] for result in together] == pytest.approx([r["score"] for r in alone], abs=3e-6)


def test_a_batch_is_one_search_and_one_re_ranking(make, monkeypatch):
    searched, reranked, search_gallery = [], [], Gallery.search

    def counted(gallery, vectors, *options, **more):
        searched.append(len(vectors))
        return search_gallery(gallery, vectors, *options, **more)

    def keep(query, candidates, mask):
        reranked.append(len(query))
        return -torch.arange(candidates.shape[1]).expand_as(mask)

    monkeypatch.setattr(Gallery, "search", counted)
    found = make(reranker=keep)(QUERIES, batch_size=4)
    assert searched == reranked == [4, 2]
    assert [ids_of(results) for results in found] == [ids_of(results) for results in make()(QUERIES)]


def test_a_generator_is_read_a_batch_at_a_time(make):
    read = []

    def queries():
        for query in QUERIES:
            read.append(query)
            yield query

    found = iter(make()(queries(), batch_size=2))
    for number_read in (2, 2, 4, 4, 6, 6):
        next(found)
        assert len(read) == number_read
