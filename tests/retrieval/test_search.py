"""Search in memory and by the store: order of equal products, vectors of candidates, changes in between."""

import pytest
import torch
from torch.nn.functional import normalize

from hf_fashion.retrieval.gallery import Gallery
from hf_fashion.retrieval.rerankers.query_expansion import query_expansion
from hf_fashion.retrieval.rerankers.reranking import rerank
from tests.retrieval.galleries import filled, metadata, vectors


SPACE = "sleeve length"


@pytest.mark.usefixtures("either_search")
@pytest.mark.parametrize("axes", [None, 3], ids=["whole", "three axes"])
@pytest.mark.parametrize("condition", [None, "price < 5", "price < 0"])
def test_results_keep_the_vectors_that_the_gallery_gives_for_their_ids(place, axes, condition):
    gallery = filled(place, axes=axes)
    queries = vectors(3, seed=1)[SPACE]
    results = gallery.search(queries, SPACE, 12, condition, with_vectors=True)
    plain = gallery.search(queries, SPACE, 12, condition)
    assert results.ids == plain.ids and plain.vectors is None
    assert results.vectors.shape == (3, len(results.ids[0]), 5) and len(results.ids[0]) in (12, 5, 0)
    for found, rows in zip(results.ids, results.vectors, strict=True):
        torch.testing.assert_close(rows, gallery.vectors(found, SPACE), rtol=0, atol=1e-7)


@pytest.mark.usefixtures("either_search")
def test_a_re_ranker_moves_candidates_by_the_vectors_of_the_search(place):
    gallery = filled(place)
    queries = vectors(3, seed=1)[SPACE]
    before = gallery.search(queries, SPACE, 12, with_vectors=True)
    after = rerank(before, queries, query_expansion, 12)
    assert after.ids != before.ids
    assert [sorted(row) for row in after.ids] == [sorted(row) for row in before.ids]
    first = after.to_dicts()[0][0]
    assert before.ids[0][first["initial_rank"] - 1] == first["id"]
    assert torch.equal(after.vectors[0], gallery.vectors(after.ids[0], SPACE))


def test_of_equal_products_those_are_found_whose_ids_come_first(place):
    gallery = Gallery.create(place, {"image": 3})
    same, other = torch.tensor([1.0, 2.0, 3.0]), torch.tensor([3.0, 2.0, 1.0])
    gallery.add(["f", "b", "d"], {"image": torch.stack([same, same, other])})
    gallery.add(["e", "a", "c"], {"image": torch.stack([same * 7, other, same])})
    results = gallery.search(same[None], "image", 3)
    assert results.ids == (("b", "c", "e"),)
    assert results.scores.unique().numel() == 1
    assert results.metadata is None
    assert gallery.search(same[None], "image", 6).ids == (("b", "c", "e", "f", "a", "d"),)


def test_many_queries_are_as_each_alone(place):
    gallery = filled(place)
    queries = vectors(300, seed=2)["neckline"]
    together = gallery.search(queries, "neckline", 5)
    assert together.ids[277] == gallery.search(queries[277:278], "neckline", 5).ids[0]
    assert gallery.search(queries[:0], "neckline", 5).ids == ()


@pytest.mark.usefixtures("either_search")
def test_vectors_are_those_added_to_float16(place):
    gallery = filled(place)
    wanted = ["p007", "p002", "p007"]
    expected = normalize(vectors(40)[SPACE][[7, 2, 7]], dim=-1)
    torch.testing.assert_close(gallery.vectors(wanted, SPACE), expected, atol=1e-3, rtol=0)
    torch.testing.assert_close(gallery.vectors(wanted, SPACE).norm(dim=-1), torch.ones(3))
    assert gallery.vectors([], SPACE).shape == (0, 5)
    with pytest.raises(ValueError, match="'p040' is not"):
        gallery.vectors(["p001", "p040"], SPACE)


def test_changes_of_another_process_are_seen(place):
    gallery = filled(place, 10)
    query = vectors(1, seed=3)["neckline"]
    assert "p010" not in gallery.search(query, "neckline", 20).ids[0]
    other = Gallery.open(place)
    other.add(["p010"], vectors(1, seed=3), metadata(1))
    assert gallery.search(query, "neckline", 1).ids == (("p010",),)
    assert len(gallery) == 11
