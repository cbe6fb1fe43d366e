"""Query expansion: against the published vectors, against a loop, and by hand."""

import math

import pytest
import torch
from safetensors.torch import load_file
from torch.nn.functional import normalize

from hf_fashion.retrieval.rerankers.query_expansion import expanded_queries, query_expansion


WEIGHTINGS = ("plain", "decayed", "alpha")


def lists(queries: int = 4, candidates: int = 7, dim: int = 6) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    query = torch.randn(queries, dim, dtype=torch.float64, generator=generator)
    noise = torch.randn(queries, candidates, dim, dtype=torch.float64, generator=generator)
    return query, 0.5 * query[:, None] + noise


def naive_scores(query, candidates, number, weighting, alpha):
    query, candidates = normalize(query, dim=0), normalize(candidates, dim=-1)
    expanded = query.clone()
    for place, candidate in enumerate(candidates[:number], 1):
        cosine = (query @ candidate).item()
        by_name = {"plain": 1.0, "decayed": (number + 1 - place) / (number + 1), "alpha": max(0.0, cosine) ** alpha}
        expanded += by_name[weighting] * candidate
    return [(expanded @ candidate / expanded.norm()).item() for candidate in candidates]


@pytest.mark.parametrize(("weighting", "name"), [("plain", "AQE"), ("decayed", "AQEwD"), ("alpha", "alphaQE3")])
def test_parity_with_the_published_vectors(weighting, name, shared_fixtures):
    tensors = load_file(shared_fixtures / "query_expansion.safetensors")
    found = expanded_queries(3 * tensors["query"][None], 2 * tensors["top"][None], weighting=weighting)
    torch.testing.assert_close(found[0], tensors[name], rtol=0, atol=1e-10)


@pytest.mark.parametrize("number", [1, 3, 7, 9])
@pytest.mark.parametrize(("weighting", "alpha"), [("plain", 3.0), ("decayed", 3.0), ("alpha", 3.0), ("alpha", 0.5)])
def test_scores_equal_a_loop(number, weighting, alpha):
    query, candidates = lists()
    found = query_expansion(query, candidates, None, number, weighting, alpha)
    expected = [naive_scores(q, c, number, weighting, alpha) for q, c in zip(query, candidates, strict=True)]
    torch.testing.assert_close(found, torch.tensor(expected, dtype=torch.float64), rtol=0, atol=1e-12)


@pytest.mark.parametrize("weighting", WEIGHTINGS)
def test_a_masked_list_equals_a_shorter_one(weighting):
    query, candidates = lists()
    mask = torch.ones(4, 7, dtype=torch.bool)
    mask[:, 3:] = False
    candidates[:, 3:] = torch.nan
    scores = query_expansion(query, candidates, mask, weighting=weighting)
    expected = query_expansion(query, candidates[:, :3], weighting=weighting)
    torch.testing.assert_close(scores[:, :3], expected, rtol=0, atol=1e-12)
    assert scores[:, 3:].eq(-math.inf).all()


@pytest.mark.parametrize("weighting", WEIGHTINGS)
def test_a_query_does_not_see_the_others(weighting):
    query, candidates = lists()
    mask = torch.arange(7) < torch.tensor([[7], [0], [2], [5]])
    together = query_expansion(query, candidates, mask, weighting=weighting)
    alone = [
        query_expansion(query[i : i + 1], candidates[i : i + 1], mask[i : i + 1], weighting=weighting)
        for i in range(4)
    ]
    torch.testing.assert_close(together, torch.cat(alone), rtol=0, atol=1e-12)


def test_without_candidates_the_query_stays():
    query, candidates = lists(candidates=0)
    torch.testing.assert_close(expanded_queries(query, candidates), normalize(query, dim=-1))
    assert query_expansion(query, candidates).shape == (4, 0)


def test_a_candidate_rises_that_resembles_the_first():
    """The third candidate is as far from the query as the second, but on the side of the first."""
    angles = torch.tensor([[20.0, -40.0, 40.0]]).deg2rad()
    candidates = torch.stack([angles.cos(), angles.sin()], dim=-1)
    scores = query_expansion(torch.tensor([[1.0, 0.0]]), candidates, number=1)
    expected = torch.tensor([[10.0, 50.0, 30.0]]).deg2rad().cos()
    torch.testing.assert_close(scores, expected)


def test_alpha_leaves_out_what_points_away():
    query, away = torch.tensor([[1.0, 0.0]]), torch.tensor([[[-0.6, 0.8]]])
    assert torch.equal(expanded_queries(query, away, weighting="alpha", alpha=2.0), query)


def test_lengths_do_not_matter():
    query, candidates = lists()
    stretched = candidates * torch.arange(1.0, 8.0)[:, None]
    torch.testing.assert_close(query_expansion(9 * query, stretched), query_expansion(query, candidates))


def test_half_precision_is_computed_in_float32():
    query, candidates = (rows.half() for rows in lists())
    with torch.autocast("cpu", torch.bfloat16):
        scores = query_expansion(query, candidates)
    assert scores.dtype == torch.float32
    torch.testing.assert_close(scores.double(), query_expansion(query.double(), candidates.double()))


@pytest.mark.parametrize(
    ("query", "candidates", "mask", "message"),
    [
        ((3,), (1, 2, 3), None, r"`query_embeds` must have shape \(Q, d\), got \(3,\)"),
        ((1, 3), (2, 3), None, r"`candidate_embeds` must have shape \(1, k, 3\).* got \(2, 3\)"),
        ((1, 3), (2, 5, 3), None, r"`candidate_embeds`.* got \(2, 5, 3\)"),
        ((1, 3), (1, 5, 4), None, r"`candidate_embeds`.* got \(1, 5, 4\)"),
        ((1, 3), (1, 5, 3), torch.ones(1, 4, dtype=torch.bool), r"`candidate_mask`.* \(1, 5\).* got .* \(1, 4\)"),
        ((1, 3), (1, 5, 3), torch.ones(1, 5), r"`candidate_mask` must be bool.* got torch.float32"),
    ],
)
def test_wrong_shapes_are_named(query, candidates, mask, message):
    with pytest.raises(ValueError, match=message):
        query_expansion(torch.ones(query), torch.ones(candidates), mask)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"number": 0}, "`number` must be at least 1, got 0"),
        ({"weighting": "linear"}, r"`weighting` must be one of \('plain', 'decayed', 'alpha'\), got 'linear'"),
    ],
)
def test_wrong_settings_are_named(settings, message):
    with pytest.raises(ValueError, match=message):
        query_expansion(*lists(), **settings)
