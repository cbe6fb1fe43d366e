"""Searches with known answers: the ranking is that of the metric, and no query finds itself."""

import pytest
import torch

from hf_fashion.evaluation.labelled_search import LabelledSearch
from hf_fashion.metrics import average_precisions
from hf_fashion.metrics.attribute_map import average_precisions_of_hits
from tests.evaluation.searches import random_search, within_itself


@pytest.mark.parametrize("chunk_size", [None, 1, 2, 5])
def test_rankings_are_those_that_the_metric_judges(chunk_size):
    search = random_search()
    ranked = list(search.rankings(chunk_size))
    found = torch.cat([average_precisions_of_hits(chunk.hits) for chunk in ranked])
    given = (search.query_embeds, search.gallery_embeds, search.query_labels, search.gallery_labels)
    assert torch.equal(found, average_precisions(*given))
    for chunk in ranked:
        scores = (search.query_embeds[chunk.queries] @ search.gallery_embeds.T).gather(1, chunk.places)
        assert (scores[:, :-1] >= scores[:, 1:]).all() and chunk.valid.all()


def test_a_query_of_the_gallery_does_not_find_itself():
    search = within_itself(random_search())
    (ranked,) = search.rankings()
    assert torch.equal(ranked.places[:, -1], search.own_places)
    assert ranked.valid[:, :-1].all() and not ranked.valid[:, -1].any() and not ranked.hits[:, -1].any()
    others = [row for row in range(9) if row != 4]
    alone = LabelledSearch(
        search.query_embeds[4:5],
        search.gallery_embeds[others],
        search.query_labels[4:5],
        search.gallery_labels[others],
    )
    (without,) = alone.rankings()
    assert torch.equal(ranked.hits[4, :-1], without.hits[0])


def test_equal_items_stand_in_the_order_of_the_gallery():
    embeds = torch.eye(2)[[0, 1, 0, 1, 0]]
    search = LabelledSearch(torch.eye(2)[:1], embeds, torch.tensor([0]), torch.arange(5))
    (ranked,) = search.rankings()
    assert ranked.places.tolist() == [[0, 2, 4, 1, 3]]


def test_items_of_several_values_are_right_for_each():
    carried = torch.tensor([[True, True], [False, True], [False, False]])
    search = LabelledSearch(torch.eye(3)[[0, 0]], torch.eye(3), torch.tensor([0, 1]), carried)
    (ranked,) = search.rankings()
    assert ranked.hits.tolist() == [[True, False, False], [True, True, False]]


@pytest.mark.parametrize("own_places", [torch.arange(3), torch.arange(5) + 5, torch.arange(5) - 1])
def test_places_of_the_queries_must_fit(own_places):
    search = random_search()
    given = (search.query_embeds, search.gallery_embeds, search.query_labels, search.gallery_labels)
    with pytest.raises(ValueError, match=r"`own_places` must be of shape \(5,\), .* from 0 to 8"):
        LabelledSearch(*given, own_places)


@pytest.mark.parametrize("labels", [torch.ones(9, dtype=torch.bool), torch.ones(9, 2, dtype=torch.bool)])
def test_values_must_have_a_column(labels):
    search = random_search()
    with pytest.raises(ValueError, match="bool `gallery_labels` must have shape"):
        LabelledSearch(search.query_embeds, search.gallery_embeds, search.query_labels - 1, labels)


def test_some_of_the_queries_ask_alone():
    search = within_itself(random_search())
    (whole,), (part,) = search.rankings(), search.of([3, 1]).rankings()
    assert torch.equal(part.places, whole.places[[3, 1]]) and torch.equal(part.hits, whole.hits[[3, 1]])


def test_embeddings_must_be_finite():
    search = random_search()
    with pytest.raises(ValueError, match=r"`gallery_embeds` must be finite"):
        LabelledSearch(
            search.query_embeds,
            search.gallery_embeds / 0,
            search.query_labels,
            search.gallery_labels,
        )
