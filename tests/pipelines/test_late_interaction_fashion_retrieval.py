"""Texts scored by photos and their best regions, against a plain loop over all products."""

import pytest
import torch
from torch.nn.functional import normalize

from hf_fashion.pipelines import late_interaction_fashion_retrieval, search_fashion_retrieval
from hf_fashion.pipelines.late_interaction_fashion_retrieval import interact
from hf_fashion.retrieval.gallery import Gallery
from hf_fashion.retrieval.results import RetrievalResults
from tests.pipelines.searches import COUNT, ids_of, text_embeds
from tests.tiny_e2 import tiny_images


WEIGHT = 0.4


@pytest.fixture
def search(make, region_gallery):
    return make(gallery=region_gallery)


def scores_by_hand(gallery, text: str, ids: list[str], weight: float) -> dict[str, float]:
    """Score of each product."""
    query = text_embeds([text])[0]
    photo, *regions = (gallery.vectors(ids, space) @ query for space in ("image", "brand", "season"))
    scores = (1 - weight) * photo + weight * torch.stack(regions).amax(dim=0)
    return dict(zip(ids, scores.tolist(), strict=True))


@pytest.mark.parametrize("weight", [0, WEIGHT, 1])
def test_scores_are_those_of_a_plain_loop(weight, search, region_gallery):
    results = search("striped", top_k=COUNT, late_interaction=weight)
    expected = scores_by_hand(region_gallery, "striped", ids_of(results), weight)
    assert [one["score"] for one in results] == pytest.approx(list(expected.values()), abs=2e-6)
    assert [one["score"] for one in results] == sorted((one["score"] for one in results), reverse=True)
    assert [one["initial_rank"] for one in results] == [*range(1, COUNT + 1)]


def test_only_the_nearest_photos_are_scored_by_their_regions(search, region_gallery, monkeypatch):
    for module in (search_fashion_retrieval, late_interaction_fashion_retrieval):
        monkeypatch.setattr(module, "NUM_SCORED", 6)
    candidates = ids_of(search("striped", top_k=6))
    scores = scores_by_hand(region_gallery, "striped", candidates, WEIGHT)
    found = search("striped", top_k=3, late_interaction=WEIGHT)
    assert ids_of(found) == sorted(scores, key=lambda one: -scores[one])[:3]
    longer = search("striped", top_k=COUNT, late_interaction=WEIGHT)
    assert ids_of(longer) == sorted(scores, key=lambda one: -scores[one]) + ids_of(search("striped", top_k=COUNT))[6:]
    for top_k in range(1, COUNT):
        assert search("striped", top_k=top_k, late_interaction=WEIGHT) == longer[:top_k]


def test_queries_of_a_batch_are_scored_one_by_one(search):
    photo = tiny_images(1, seed=5)[0]
    queries = ["striped", {"a dress": 1, "buttons": -0.5}, photo, {"text": "striped", "entity": "brand"}]
    found = search(queries, batch_size=4, late_interaction=WEIGHT)
    assert list(map(ids_of, found[:2])) == [ids_of(search(query, late_interaction=WEIGHT)) for query in queries[:2]]
    # A photo, and a text that names its entity, are searched as ever.
    assert list(map(ids_of, found[2:])) == [ids_of(search(query)) for query in queries[2:]]
    assert ids_of(search({"text": "striped", "late_interaction": WEIGHT})) == ids_of(found[0])


def test_threshold_groups_filter_and_re_ranker_take_the_new_scores(search, make, region_gallery):
    every = search("striped", top_k=COUNT, late_interaction=WEIGHT)
    least = every[4]["score"]
    assert search("striped", late_interaction=WEIGHT, threshold=least) == every[:5]
    best = {}
    for one in every:
        if one["metadata"]["style"]:
            best.setdefault(one["metadata"]["style"], one["id"])
    grouped = search("striped", late_interaction=WEIGHT, group_by="style", filter="style IS NOT NULL")
    assert ids_of(grouped) == list(best.values())
    few = search("striped", late_interaction=WEIGHT, filter="price < 5", top_k=COUNT)
    assert ids_of(few) == [one["id"] for one in every if one["metadata"]["price"] < 5]
    reranked = make(gallery=region_gallery, reranker="query_expansion", late_interaction=WEIGHT)(
        "striped", top_k=COUNT
    )
    ranks = {one["id"]: one["rank"] for one in every}
    assert all(one["initial_rank"] == ranks[one["id"]] for one in reranked)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"late_interaction": 1.5}, "`late_interaction`, the weight of the best region, must be from 0 to 1, got 1.5"),
        ({"late_interaction": float("nan")}, "must be from 0 to 1, got nan"),
        ({"late_interaction": True}, "`late_interaction` must be a number, got True"),
        (
            {"late_interaction": 0.3, "entity": "brand"},
            "is for queries of texts that are compared with whole",
        ),
        ({"late_interaction": 0.3, "image": tiny_images(1)[0]}, "leave `late_interaction` out of it"),
    ],
)
def test_what_makes_no_sense_is_refused(options, message, search):
    with pytest.raises(ValueError, match=message):
        search({"text": "striped"} | options)


def test_equal_products_come_by_id_and_a_query_scores_the_same_in_a_batch(tmp_path):
    generator = torch.Generator().manual_seed(0)
    gallery = Gallery.create(tmp_path / "gallery", {"image": 512, "brand": 512})
    rows = {space: torch.randn(1, 512, generator=generator).expand(33, -1) for space in ("image", "brand")}
    gallery.add(names := [f"p{number:02d}" for number in range(33)], rows)
    queries = normalize(rows["brand"][:1] + 0.1 * torch.randn(100, 512, generator=generator), dim=1)
    found = interact(gallery.search(queries, "image", 33), queries, WEIGHT, gallery, ["brand"])
    assert list(map(list, found.ids)) == [names] * 100 and all(len(row.unique()) == 1 for row in found.scores)
    first = gallery.search(queries, "image", 1)
    batch = interact(first, queries, WEIGHT, gallery, ["brand"]).scores.flatten()
    for number in range(100):
        single = interact(first[number], queries[number, None], WEIGHT, gallery, ["brand"])
        assert single.scores[0] == batch[number]


def test_no_candidates_stay_none(region_gallery):
    nothing = RetrievalResults([[], []], torch.zeros(2, 0))
    assert interact(nothing, torch.ones(2, 12), 0.3, region_gallery, ["brand"]) is nothing
