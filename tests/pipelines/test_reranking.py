"""Re-rankers in the pipeline order the first candidates as they do by hand."""

import pytest
import torch
from transformers import set_seed

from hf_fashion import FeatureReasoningModel
from hf_fashion.retrieval.rerankers.k_reciprocal import k_reciprocal
from hf_fashion.retrieval.rerankers.query_expansion import query_expansion
from tests.pipelines.searches import COUNT, by_hand, ids_of, photo_embeds
from tests.tiny_e2 import tiny_images, tiny_model
from tests.tiny_feature_reasoning import NUM_CANDIDATES, tiny_feature_reasoning, tiny_feature_reasoning_config


PHOTO = tiny_images(1, seed=9)[0]


def similarities(query, candidates, mask):
    with torch.no_grad():
        return tiny_feature_reasoning()(query, candidates, mask).similarities


def backwards(query, candidates, mask):
    return -torch.einsum("qd,qkd->qk", query, candidates)


def reranked_by_hand(gallery, rerank, number: int) -> list[str]:
    query = photo_embeds([PHOTO])
    ids, _ = by_hand(gallery, query[0])
    candidates = gallery.vectors(ids[:number], "image")[None]
    order = rerank(query, candidates, torch.ones(1, number, dtype=torch.bool))[0].argsort(descending=True, stable=True)
    return [ids[place] for place in order.tolist()] + ids[number:]


@pytest.mark.parametrize(
    ("reranker", "by_hand_too", "number"),
    [
        (backwards, backwards, COUNT),
        ("query_expansion", query_expansion, COUNT),
        ("k_reciprocal", k_reciprocal, COUNT),
        (tiny_feature_reasoning(), similarities, NUM_CANDIDATES),
    ],
    ids=["function", "query_expansion", "k_reciprocal", "fr"],
)
def test_the_first_candidates_are_reordered_as_by_hand(reranker, by_hand_too, number, make, gallery):
    expected = reranked_by_hand(gallery, by_hand_too, number)
    initial, _ = by_hand(gallery, photo_embeds([PHOTO])[0])
    assert expected != initial
    results = make(reranker=reranker)(PHOTO, top_k=COUNT)
    assert ids_of(results) == expected
    assert [result["rank"] for result in results] == list(range(1, COUNT + 1))
    assert [result["initial_rank"] for result in results] == [initial.index(name) + 1 for name in expected]


def test_more_candidates_are_reranked_than_returned(make, gallery):
    search = make(reranker=backwards)
    assert ids_of(search(PHOTO, top_k=2)) == reranked_by_hand(gallery, backwards, COUNT)[:2]
    assert ids_of(search(PHOTO, top_k=2, num_candidates=5)) == reranked_by_hand(gallery, backwards, 5)[:2]
    assert ids_of(search(PHOTO, top_k=8, num_candidates=5)) == reranked_by_hand(gallery, backwards, 5)[:8]


def test_an_untrained_fr_changes_nothing(make):
    set_seed(0)
    untrained = FeatureReasoningModel(tiny_feature_reasoning_config())
    queries = [PHOTO, "a red dress"]
    assert make(reranker=untrained)(queries) == make()(queries)


def test_an_fr_is_loaded_from_its_folder(make, tmp_path):
    tiny_feature_reasoning().save_pretrained(tmp_path)
    expected = make(reranker=tiny_feature_reasoning())(PHOTO)
    for folder in (tmp_path, str(tmp_path)):
        assert make(reranker=folder)(PHOTO) == expected


def test_an_fr_of_another_embedding_model_is_refused(make, gallery):
    own = gallery.info()["fingerprint"]
    make(reranker=tiny_feature_reasoning(embedder_fingerprints=[own]))
    with pytest.raises(ValueError, match=f"searches of IpadModel-1, these are of {own}"):
        make(reranker=tiny_feature_reasoning(embedder_fingerprints=["IpadModel-1"]))


def test_filter_threshold_and_groups_decide_what_is_reranked(make):
    options = {"filter": "price > 3", "threshold": 0.5, "group_by": "style"}
    candidates = make()(PHOTO, top_k=COUNT, **options)
    results = make(reranker=backwards)(PHOTO, top_k=COUNT, **options)
    assert ids_of(results) == ids_of(candidates)[::-1]
    assert make(reranker=backwards)(PHOTO, filter="price < 0") == []


def test_a_score_stays_the_cosine(make):
    before = {result["id"]: result["score"] for result in make()(PHOTO, top_k=COUNT)}
    after = {result["id"]: result["score"] for result in make(reranker="k_reciprocal")(PHOTO, top_k=COUNT)}
    assert before == after


@pytest.mark.parametrize(
    ("reranker", "message"),
    [
        (3, "`reranker` must be a FeatureReasoningModel, its path or Hub id, one of query_expansion"),
        ("k-reciprocal", r"got 'k-reciprocal' \(did you mean 'k_reciprocal'\?\)"),
        (tiny_model(), "must be a FeatureReasoningModel, got E2Model"),
    ],
)
def test_other_rerankers_are_refused(reranker, message, make):
    with pytest.raises(ValueError, match=message):
        make(reranker=reranker)


def test_an_fr_gets_no_more_candidates_than_it_is_made_for(make):
    with pytest.raises(ValueError, match="what an FR is made for, got 7 for 6"):
        make(reranker=tiny_feature_reasoning())(PHOTO, num_candidates=NUM_CANDIDATES + 1)
    with pytest.raises(ValueError, match="got 7 for 6"):
        make(reranker=tiny_feature_reasoning(), num_candidates=NUM_CANDIDATES + 1)


def test_a_function_must_score_each_candidate(make):
    with pytest.raises(ValueError, match=r"scores of shape \(Q, k\) = \(1, 24\), got \(24,\)"):
        make(reranker=lambda query, candidates, mask: candidates[0, :, 0])(PHOTO)
