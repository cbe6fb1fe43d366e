"""Re-ranked lists, against sorting each list by itself."""

import pytest
import torch

from hf_fashion.retrieval.rerankers.k_reciprocal import k_reciprocal
from hf_fashion.retrieval.rerankers.query_expansion import query_expansion
from hf_fashion.retrieval.rerankers.reranking import rerank, reranked_order
from hf_fashion.retrieval.results import RetrievalResults, padded
from tests.tiny_feature_reasoning import tiny_feature_reasoning


LENGTHS = (6, 0, 3, 1, 6)
DIM = 4


def results(lengths=LENGTHS, seed: int = 0) -> RetrievalResults:
    generator = torch.Generator().manual_seed(seed)
    mask = torch.arange(max(lengths)) < torch.tensor(lengths)[:, None]
    scores = torch.rand(mask.shape, generator=generator).sort(dim=1, descending=True).values
    vectors = torch.randn(sum(lengths), DIM, generator=generator)
    ids = [[f"q{query}c{place}" for place in range(length)] for query, length in enumerate(lengths)]
    return RetrievalResults(ids, scores.masked_fill(~mask, -torch.inf), vectors=padded(vectors, mask, 0))


def queries(number: int = len(LENGTHS)) -> torch.Tensor:
    return torch.randn(number, DIM, generator=torch.Generator().manual_seed(1))


def by_product(query_embeds, candidate_embeds, candidate_mask):
    """It does not look at the mask: padding, which scores 0, is better than some candidates."""
    return torch.einsum("qd,qkd->qk", query_embeds, candidate_embeds)


def one_by_one(found: RetrievalResults, reranker, number: int) -> list[list[str]]:
    lists = []
    for ids, vectors, query in zip(found.ids, found.vectors, queries(), strict=True):
        first = vectors[None, : len(ids)][:, :number]
        if not len(ids):
            lists.append([])
            continue
        scores = reranker(query[None], first, torch.ones(first.shape[:2], dtype=torch.bool))[0].tolist()
        order = sorted(range(first.shape[1]), key=lambda place, scores=scores: -scores[place])
        lists.append([ids[place] for place in order] + list(ids[number:]))
    return lists


@pytest.mark.parametrize("number", [1, 2, 5, 6, 100])
@pytest.mark.parametrize("reranker", [by_product, query_expansion, k_reciprocal])
def test_lists_are_re_ranked_together_as_each_alone(number, reranker):
    found = results()
    after = rerank(found, queries(), reranker, number)
    assert [list(ids) for ids in after.ids] == one_by_one(found, reranker, number)
    for before, moved in zip(found.to_dicts(), after.to_dicts(), strict=True):
        scores = {candidate["id"]: (candidate["score"], candidate["initial_rank"]) for candidate in before}
        assert {candidate["id"]: (candidate["score"], candidate["initial_rank"]) for candidate in moved} == scores


def test_a_re_ranker_gets_all_lists_but_no_empty_one():
    calls = []

    def reranker(query_embeds, candidate_embeds, candidate_mask):
        calls.append((query_embeds, candidate_embeds, candidate_mask))
        return candidate_mask.float()

    found = results()
    rerank(found, queries(), reranker, 4)
    ((query_embeds, candidate_embeds, candidate_mask),) = calls
    assert torch.equal(query_embeds, queries()[[0, 2, 3, 4]])
    assert candidate_mask.sum(1).tolist() == [4, 3, 1, 4]
    assert torch.equal(candidate_embeds, found.vectors[[0, 2, 3, 4], :4])


def test_nothing_found_is_not_re_ranked():
    for empty in (RetrievalResults([], torch.zeros(0, 0)), RetrievalResults([[], []], torch.zeros(2, 0))):
        assert rerank(empty, queries(len(empty)), None, 5) is empty


def test_results_without_vectors_are_refused():
    plain = RetrievalResults([["a"]], torch.ones(1, 1))
    with pytest.raises(ValueError, match="`results` must have vectors to be re-ranked: search with `with_vectors"):
        rerank(plain, queries(1), by_product, 5)


@pytest.mark.parametrize("shape", [(4, 5), (4,), (4, 6, 1)])
def test_a_re_ranker_must_score_each_candidate(shape):
    with pytest.raises(ValueError, match=r"`reranker` must return scores of shape \(Q, k\) = \(4, 6\), got \(4,"):
        rerank(results(), queries(), lambda *lists: torch.zeros(shape), 6)


def test_a_score_that_is_no_number_is_refused_and_nan_of_padding_is_not():
    def reranker(query_embeds, candidate_embeds, candidate_mask):
        scores = candidate_mask.float().masked_fill(~candidate_mask, torch.nan)
        scores[-1, wrong] = torch.nan
        return scores

    wrong = []
    assert rerank(results(), queries(), reranker, 6).ids == results().ids
    wrong = [4, 5]
    with pytest.raises(ValueError, match=r"must return numbers, got NaN for 2 candidates, .* place 4 of list 3"):
        rerank(results(), queries(), reranker, 6)


@pytest.mark.parametrize("dtype", [torch.int64, torch.bfloat16, torch.float64])
def test_ties_keep_their_order_and_padding_comes_last(dtype):
    mask = torch.tensor([[True, True, True, True], [True, True, False, False]])
    scores = torch.tensor([[1, 3, 1, 3], [-5, -5, 7, 8]], dtype=dtype)
    order = reranked_order(lambda *lists: scores, torch.zeros(2, 3), torch.zeros(2, 4, 3), mask)
    assert order.tolist() == [[1, 3, 0, 2], [0, 1, 2, 3]]


def test_an_fr_re_ranks_its_own_lists():
    found, query_embeds = results((6, 4)), queries(2)
    model = tiny_feature_reasoning()
    after = rerank(found, query_embeds, lambda *lists: model.rerank(*lists).detach(), 6)
    assert after.ids != found.ids and [sorted(ids) for ids in after.ids] == [sorted(ids) for ids in found.ids]
