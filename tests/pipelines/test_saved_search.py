"""Searches as lines of JSON, and their re-ranking."""

import json

import pytest
import torch

from hf_fashion.pipelines.saved_search import read_searches, rerank_search
from tests.retrieval.galleries import filled, vectors


SPACE = "neckline"


@pytest.fixture(scope="module")
def gallery(tmp_path_factory):
    return filled(tmp_path_factory.mktemp("gallery") / "gallery", 6)


def search(**changes) -> dict:
    results = [{"id": f"p{number:03d}", "score": 0.5, "initial_rank": number} for number in (1, 2, 3)]
    vector = vectors(6)[SPACE][5].tolist()
    return {"space": SPACE, "vector": vector, "fingerprint": "Model-1", "results": results} | changes


def backwards(query, candidates, mask):
    return torch.arange(candidates.shape[1])[None].float()


def by_cosine(query, candidates, mask):
    return (candidates @ query[:, :, None]).squeeze(-1)


def ids(found: dict) -> list[str]:
    return [result["id"] for result in found["results"]]


def test_results_are_re_ordered_and_numbered(gallery):
    found = rerank_search(search(), gallery, backwards)
    assert ids(found) == ["p003", "p002", "p001"]
    assert [(result["rank"], result["initial_rank"]) for result in found["results"]] == [(1, 3), (2, 2), (3, 1)]
    assert ids(rerank_search(search(), gallery, backwards, num_candidates=2)) == ["p002", "p001", "p003"]


def test_a_second_re_ranking_begins_where_the_first_began(gallery):
    once = rerank_search(search(), gallery, backwards)
    assert rerank_search(once, gallery, backwards) == once


def test_the_re_ranker_sees_the_vectors_of_query_and_products(gallery):
    cosines = gallery.vectors(["p001", "p002", "p003"], SPACE) @ vectors(6)[SPACE][5]
    expected = [f"p{place + 1:03d}" for place in cosines.argsort(descending=True).tolist()]
    assert ids(rerank_search(search(), gallery, by_cosine)) == expected


def test_the_query_may_be_a_product_of_the_gallery(gallery):
    own = {"query_id": "p002", "space": SPACE, "results": [{"id": "p001"}, {"id": "p002"}]}
    found = rerank_search(own, gallery, by_cosine)
    assert found["results"] == [
        {"initial_rank": 2, "id": "p002", "rank": 1},
        {"initial_rank": 1, "id": "p001", "rank": 2},
    ]


def test_nothing_found_stays_nothing(gallery):
    assert rerank_search(search(results=[]), gallery, backwards)["results"] == []


def test_a_vector_of_whole_numbers_is_one_of_numbers(gallery):
    found = [
        rerank_search(search(vector=vector), gallery, by_cosine)["results"]
        for vector in ([1, 0, 0, 0, 0, 0, 0, -2], [1.0, 0, 0, 0, 0, 0, 0, -2.0])
    ]
    assert found[0] == found[1]


def test_what_does_not_belong_to_the_gallery_is_refused(gallery):
    with pytest.raises(ValueError, match=r"vector is of Model-2, the gallery at .* of Model-1"):
        rerank_search(search(fingerprint="Model-2"), gallery, backwards)
    with pytest.raises(ValueError, match="the query's vector has 2 numbers, those of 'neckline' have 8"):
        rerank_search(search(vector=[1.0, 2.0]), gallery, backwards)
    with pytest.raises(ValueError, match="p999"):
        rerank_search(search(results=[{"id": "p999"}]), gallery, backwards)


def test_lines_are_read_and_empty_ones_passed_over():
    assert read_searches([json.dumps(search()), "", json.dumps(search())]) == {1: search(), 3: search()}


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{", "line 2 is not a search"),
        ("[1]", "expected an object, got list"),
        ('{"space": "image", "results": []}', "no 'vector', only space, results"),
        ('{"vector": [1], "fingerprint": "", "results": []}', "no 'space'"),
        ('{"query_id": "p1", "space": "image", "results": ["p2"]}', "objects with an `id`"),
        ('{"query_id": "p1", "space": "image", "results": null}', "`results` must be a list"),
        ('{"query_id": 17, "space": "image", "results": []}', "must be strings, got 17"),
        ('{"query_id": "p1", "space": ["image"], "results": []}', "must be strings"),
        ('{"query_id": "p1", "space": "image", "results": [{"id": "p2", "score": null}]}', "must be a number"),
    ],
)
def test_a_line_that_is_no_search_is_named(line, message):
    with pytest.raises(ValueError, match=message):
        read_searches(["", line])


HUGE = f"[1{'0' * 400}]"


@pytest.mark.parametrize(
    "vector",
    ['"abc"', "3", '[1, "2"]', "[[1]]", "[true]", "[NaN]", "[1e39]", pytest.param(HUGE, id="huge")],
)
def test_a_vector_that_is_none_is_named(vector):
    line = f'{{"vector": {vector}, "fingerprint": "", "space": "", "results": []}}'
    with pytest.raises(ValueError, match=r"line 1 is not a search .*: its `vector` must be a list of finite numbers"):
        read_searches([line])


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ('"initial_rank": "1"', "the `initial_rank` of a result must be a whole number, got '1'"),
        ('"initial_rank": 1.5', "must be a whole number, got 1.5"),
        ('"metadata": null', "the `metadata` of a result must be an object, got None"),
    ],
)
def test_a_result_of_another_form_is_named(fields, message):
    with pytest.raises(ValueError, match=message):
        read_searches([f'{{"query_id": "p1", "space": "", "results": [{{"id": "p2", {fields}}}]}}'])
