"""Ranked lists: what they must be, how a re-ranker moves them, how they are shown."""

import json
import math

import pytest
import torch

from hf_fashion.retrieval.results import RetrievalResults, joined, padded, reorder_first


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


def test_other_scores_sort_the_lists_again():
    scores = torch.tensor([[0.1, 0.3, 0.3], [0.7, 9.0, 9.0]])
    after = results(vectors=torch.arange(6.0).view(2, 3, 1)).rescored(scores)
    assert after.ids == (("b", "c", "a"), ("d",))
    assert after.scores.tolist() == torch.tensor([[0.3, 0.3, 0.1], [0.7, -math.inf, -math.inf]]).tolist()
    assert [one["brand"] for one in after.metadata[0]] == ["y", None, "x"]
    assert after.initial_ranks.tolist() == [[1, 2, 3], [1, 0, 0]]
    assert after.vectors[0, :, 0].tolist() == [1, 2, 0]
    with pytest.raises(ValueError, match=r"`scores` must have shape \(2, 3\), got \(2, 2\)"):
        results().rescored(scores[:, :2])


def test_dicts_can_be_written_as_json():
    odd = {"price": math.nan, "sizes": [math.nan, 1.0, None], "brand": "x"}
    dicts = results(ids=[["a"]], scores=torch.ones(1, 1), metadata=[[odd]]).to_dicts()
    assert dicts[0][0]["metadata"] == {"price": None, "sizes": [None, 1.0, None], "brand": "x"}
    json.dumps(dicts, allow_nan=False)


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


def random_results(lengths=(5, 0, 3, 5, 1), seed: int = 0) -> RetrievalResults:
    """Lists with metadata and vectors, the first candidates of each reordered."""
    generator = torch.Generator().manual_seed(seed)
    mask = torch.arange(max(lengths)) < torch.tensor(lengths)[:, None]
    scores = torch.rand(mask.shape, generator=generator).sort(dim=1, descending=True).values
    found = RetrievalResults(
        ids=[[f"{query}-{place}" for place in range(length)] for query, length in enumerate(lengths)],
        scores=scores.masked_fill(~mask, -math.inf),
        metadata=[[{"place": place} for place in range(length)] for length in lengths],
        vectors=padded(torch.randn(sum(lengths), 2, generator=generator), mask, 0),
    )
    order = torch.rand(mask.shape, generator=generator).masked_fill(~mask, 2).argsort(dim=1)
    return found.reordered(order)


def candidates_of(found: RetrievalResults) -> list[list[tuple]]:
    """Candidates with all that is known of them, list after list; the vectors as tuples."""
    return [
        [(*candidate.values(), tuple(vector.tolist())) for candidate, vector in zip(dicts, vectors, strict=False)]
        for dicts, vectors in zip(found.to_dicts(), found.vectors, strict=True)
    ]


@pytest.mark.parametrize("share", [0.0, 0.3, 0.8, 1.0])
def test_keeping_drops_candidates_as_a_plain_loop_does(share):
    found = random_results()
    mask = torch.rand(found.mask.shape, generator=torch.Generator().manual_seed(1)) < share
    expected = []
    for candidates, flags in zip(candidates_of(found), mask.tolist(), strict=True):
        kept = [candidate for candidate, flag in zip(candidates, flags, strict=False) if flag]
        initial = sorted(candidate[3] for candidate in kept)
        expected.append(
            [
                (name, score, rank, initial.index(was) + 1, *more)
                for rank, (name, score, _, was, *more) in enumerate(kept, 1)
            ]
        )
    after = found.keep(mask)
    assert candidates_of(after) == expected
    assert after.scores.shape[1] == max(map(len, expected))
    assert (after.vectors[~after.mask] == 0).all()


def test_keeping_what_is_there_closes_no_gap():
    found = results(metadata=None).keep(torch.ones(2, 3, dtype=torch.bool))
    assert found.ids == results().ids and found.metadata is None and found.vectors is None
    assert torch.equal(found.initial_ranks, results().initial_ranks)


@pytest.mark.parametrize("mask", [torch.ones(2, 2, dtype=torch.bool), torch.ones(2, 3)])
def test_what_is_no_mask_is_refused(mask):
    with pytest.raises(ValueError, match=r"`mask` must be bool with shape \(2, 3\), got"):
        results().keep(mask)


@pytest.mark.parametrize("number", [0, 1, 2, 4, 9])
def test_the_first_candidates_know_their_ranks_in_the_whole_lists(number):
    found = random_results()
    assert candidates_of(found.first(number)) == [candidates[:number] for candidates in candidates_of(found)]


def test_each_list_is_taken_out_and_joined_again():
    found = random_results()
    lists = [found[query] for query in range(len(found))]
    assert [part.scores.shape[1] for part in lists] == [5, 0, 3, 5, 1]
    again = joined(lists)
    assert candidates_of(again) == candidates_of(found)
    assert torch.equal(again.scores, found.scores) and torch.equal(again.vectors, found.vectors)
    assert candidates_of(joined([found, found[2]]))[-1] == candidates_of(found)[2]


def test_lists_without_metadata_and_vectors_are_joined():
    plain = RetrievalResults([["a", "b"], []], torch.tensor([[0.5, 0.25], [-math.inf, -math.inf]]))
    assert joined([plain[1], plain[0]]).to_dicts() == plain.to_dicts()[::-1]


def test_values_of_a_row_are_reordered_and_those_behind_stay():
    values = torch.arange(24).view(2, 4, 3)
    after = reorder_first(values, torch.tensor([[1, 0], [0, 1]]))
    assert torch.equal(after, values[torch.arange(2)[:, None], torch.tensor([[1, 0, 2, 3], [0, 1, 2, 3]])])


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
        ({"ids": [["a", "b", "a"], ["d"]]}, "has 'a' twice"),
        ({"metadata": [[{}, {}], [{}]]}, r"`metadata` must have lists as long as those of `ids`, \[3, 1\]"),
        ({"initial_ranks": torch.tensor([[1, 2, 2], [1, 0, 0]])}, "every number once"),
        ({"initial_ranks": torch.tensor([[1, 2, 3], [1, 2, 0]])}, "be 0 where a list has ended"),
        ({"initial_ranks": torch.tensor([[0, 2, 3], [1, 0, 0]])}, "count from 1"),
        ({"initial_ranks": torch.tensor([[1.0, 2, 3], [1, 0, 0]])}, "must be int64"),
        ({"initial_ranks": torch.tensor([[3, 2, 1], [1, 0, 0]])}, "those of list 0 rise"),
        ({"vectors": torch.zeros(2, 3)}, r"`vectors` must have shape \(2, 3\) \+ \(d,\), .* got \(2, 3\)"),
        ({"vectors": torch.zeros(2, 2, 4)}, r"got \(2, 2, 4\)"),
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
