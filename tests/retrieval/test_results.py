"""Ranked lists: what they must be, how a re-ranker moves them, how they are shown."""

import math

import pytest
import torch

from hf_fashion.retrieval.results import RetrievalResults


def results(**changes) -> RetrievalResults:
    """Two lists, of three candidates and of one."""
    fields = {
        "ids": [["a", "b", "c"], ["d"]],
        "scores": torch.tensor([[0.9, 0.5, 0.5], [0.4, -math.inf, -math.inf]]),
        "metadata": [[{"brand": "x"}, {"brand": "y"}, {"brand": None}], [{"brand": "z"}]],
    }
    return RetrievalResults(**(fields | changes))


def test_lists_of_different_lengths_are_masked():
    assert results().mask.tolist() == [[True, True, True], [True, False, False]]
    assert results().initial_ranks.tolist() == [[1, 2, 3], [1, 0, 0]]
    assert len(results()) == 2


def test_there_may_be_no_candidate_and_no_query():
    assert RetrievalResults([[], []], torch.zeros(2, 0)).to_dicts() == [[], []]
    assert RetrievalResults([], torch.zeros(0, 0)).to_dicts() == []


def test_a_candidate_takes_score_metadata_and_initial_rank_along():
    after = results().reordered(torch.tensor([[2, 0, 1], [0, 1, 2]]))
    assert after.ids == (("c", "a", "b"), ("d",))
    torch.testing.assert_close(after.scores[0], torch.tensor([0.5, 0.9, 0.5]))
    assert after.to_dicts()[0][0] == {
        "id": "c",
        "score": 0.5,
        "rank": 1,
        "initial_rank": 3,
        "metadata": {"brand": None},
    }


def test_what_lies_behind_the_first_places_stays():
    before = results(
        ids=[["a", "b", "c"], ["d", "e"]], metadata=None, scores=torch.tensor([[3, 2, 1], [2, 1, -math.inf]])
    )
    after = before.reordered(torch.tensor([[1, 0], [1, 0]]))
    assert after.ids == (("b", "a", "c"), ("e", "d"))
    assert after.initial_ranks.tolist() == [[2, 1, 3], [2, 1, 0]]


def test_re_ranking_twice_keeps_the_first_ranks():
    turn = torch.tensor([[2, 0, 1], [0, 1, 2]])
    assert results().reordered(turn).reordered(turn).initial_ranks[0].tolist() == [2, 3, 1]


def test_the_order_of_a_re_rankers_scores_is_an_order():
    scores = torch.tensor([[0.1, 0.7, 0.2], [0.3, -math.inf, -math.inf]])
    after = results().reordered(scores.argsort(descending=True, stable=True))
    assert after.ids == (("b", "c", "a"), ("d",))


def test_results_cannot_be_changed():
    with pytest.raises(AttributeError):
        results().scores = torch.zeros(2, 3)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"scores": torch.zeros(2, 2)}, r"`scores` must be floating point with shape \(2, 3\)"),
        ({"scores": torch.zeros(2, 3, dtype=torch.long)}, "int64"),
        ({"scores": torch.zeros(2, 3)}, "-inf where it has ended"),
        ({"scores": torch.tensor([[1, math.nan, 0], [1, -math.inf, -math.inf]])}, "finite"),
        ({"scores": torch.tensor([[1, 2, 3], [1, -math.inf, -math.inf]])}, "those of list 0 rise"),
        ({"ids": [["a", "b", "a"], ["d"]]}, "names 'a' twice"),
        ({"metadata": [[{}, {}], [{}]]}, r"`metadata` must have lists as long as those of `ids`, \[3, 1\]"),
        ({"initial_ranks": torch.tensor([[1, 2, 2], [1, 0, 0]])}, "every number once"),
        ({"initial_ranks": torch.tensor([[1, 2, 3], [1, 2, 0]])}, "be 0 where a list has ended"),
        ({"initial_ranks": torch.tensor([[3, 2, 1], [1, 0, 0]])}, "those of list 0 rise"),
    ],
)
def test_what_is_no_result_is_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        results(**changes)


@pytest.mark.parametrize(
    ("order", "message"),
    [
        ([[0, 0, 1], [0, 1, 2]], "permutation of 0 .. 2"),
        ([[0, 1, 2], [1, 0, 2]], "where a list has ended"),
        ([[0, 1, 2]], r"shape \(2, n\) and n at most 3"),
        ([[0, 1, 2, 3], [0, 1, 2, 3]], "n at most 3"),
        ([[0.0, 1.0], [0.0, 1.0]], "must be int64"),
    ],
)
def test_what_is_no_order_is_refused(order, message):
    with pytest.raises(ValueError, match=message):
        results().reordered(torch.tensor(order))
