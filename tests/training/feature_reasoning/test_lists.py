"""Which lists FR learns from, and how they are batched."""

import pytest
import torch

from hf_fashion.metrics.attribute_map import average_precisions_of_hits
from hf_fashion.training.feature_reasoning.lists import CandidateLists, collate_lists
from hf_fashion.training.feature_reasoning.recipe import ListsRecipe
from tests.evaluation.searches import random_search, within_itself


ALL = ListsRecipe(max_average_precision=1.0, min_positives=1)


def test_an_item_is_a_query_and_its_first_candidates():
    search = random_search()
    lists = CandidateLists({"hem": [search]}, 4, ALL)
    (ranked,) = search.rankings()
    for one, item in zip(lists.lists, map(lists.__getitem__, range(len(lists))), strict=True):
        places = ranked.places[one.query, :4]
        assert torch.equal(item["query_embeds"], search.query_embeds[one.query])
        assert torch.equal(item["candidate_embeds"], search.gallery_embeds[places])
        assert torch.equal(item["positives"], search.gallery_labels[places] == search.query_labels[one.query])


def test_a_query_is_not_among_its_candidates():
    search = within_itself(random_search())
    lists = CandidateLists({"hem": [search]}, 9, ALL)
    assert len(lists) and all(len(one.places) == 8 and one.query not in one.places for one in lists.lists)


@pytest.mark.parametrize(("max_average_precision", "min_positives"), [(0.5, 1), (1.0, 2), (0.6, 2)])
def test_lists_that_teach_nothing_are_left_out(max_average_precision, min_positives):
    search = random_search(queries=30)
    (ranked,) = search.rankings()
    hits = ranked.hits[:, :6]
    wanted = (average_precisions_of_hits(hits) < max_average_precision) & (hits.sum(1) >= min_positives)
    lists = CandidateLists({"hem": [search]}, 6, ListsRecipe(max_average_precision, min_positives))
    assert [one.query for one in lists.lists] == wanted.nonzero().flatten().tolist()
    assert 0 < len(lists) < 30


def test_of_too_many_lists_some_are_drawn_for_each_attribute():
    searches = {name: [random_search(queries=30, seed=seed)] for seed, name in enumerate(("hem", "neck"))}
    recipe = ListsRecipe(1.0, 1, per_attribute=5)
    first, again, other = (CandidateLists(searches, 6, recipe, seed) for seed in (0, 0, 1))
    assert first.counts == {"hem": 5, "neck": 5} and len(first) == 10
    queries = [[one.query for one in lists.lists] for lists in (first, again, other)]
    assert queries[0] == queries[1] != queries[2]


def test_that_none_is_left_is_said_before_training():
    with pytest.raises(ValueError, match=r"no list of 6 candidates has 7 right ones .*hold more products out"):
        CandidateLists({"hem": [random_search()]}, 6, ListsRecipe(min_positives=7))


def test_lists_of_different_lengths_are_padded():
    lists = CandidateLists({"a": [random_search(gallery=5)], "b": [random_search(gallery=3)]}, 9, ALL)
    items = [lists[0], lists[len(lists) - 1]]
    batch = collate_lists(items)
    assert batch["candidate_embeds"].shape == (2, 5, 4) and batch["query_embeds"].shape == (2, 4)
    assert batch["candidate_mask"].tolist() == [[True] * 5, [True] * 3 + [False] * 2]
    assert torch.equal(batch["positives"][1, :3], items[1]["positives"]) and not batch["positives"][1, 3:].any()
