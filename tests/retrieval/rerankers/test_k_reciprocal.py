"""k-reciprocal re-ranking: against the published distances and against the paper read as sets and loops."""

import math

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from torch.nn.functional import normalize
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from hf_fashion.retrieval.rerankers.k_reciprocal import k_reciprocal, k_reciprocal_distances


SETTINGS = [(8, 3, 0.3), (20, 6, 0.3), (5, 1, 0.5), (6, 2, 0.0), (1, 1, 0.2), (60, 40, 0.1)]


def naive_distances(nodes: np.ndarray, num_queries: int, k1: int, k2: int, lambda_value: float) -> np.ndarray:
    units = nodes / np.linalg.norm(nodes, axis=1, keepdims=True)
    squared = ((units[:, None] - units[None]) ** 2).sum(-1)
    original = squared / squared.max(axis=1, keepdims=True)
    order = squared.argsort(axis=1).tolist()

    def reciprocal(p: int, k: int) -> set[int]:
        return {g for g in order[p][: k + 1] if p in order[g][: k + 1]}

    def expanded(p: int) -> set[int]:
        members = reciprocal(p, k1)
        near = [reciprocal(q, round(k1 / 2)) for q in members]
        return members.union(*(half for half in near if len(half & members) > 2 / 3 * len(half)))

    encodings = np.zeros_like(squared)
    for p in range(len(nodes)):
        for g in expanded(p):
            encodings[p, g] = math.exp(-original[p, g])
        encodings[p] /= encodings[p].sum()
    encodings = np.stack([encodings[order[p][:k2]].mean(axis=0) for p in range(len(nodes))])

    distances = np.empty((num_queries, len(nodes) - num_queries))
    for p in range(num_queries):
        for g in range(num_queries, len(nodes)):
            smaller, larger = np.minimum(encodings[p], encodings[g]), np.maximum(encodings[p], encodings[g])
            jaccard = 1 - smaller.sum() / larger.sum()
            distances[p, g - num_queries] = (1 - lambda_value) * jaccard + lambda_value * original[p, g]
    return distances


def lists(queries: int = 3, candidates: int = 24, dim: int = 5) -> tuple[torch.Tensor, torch.Tensor]:
    """Candidates in a few loose groups, in descending order of their cosine with the query."""
    generator = torch.Generator().manual_seed(0)
    centres = torch.randn(queries, 4, dim, dtype=torch.float64, generator=generator)
    noise = torch.randn(queries, candidates, dim, dtype=torch.float64, generator=generator)
    rows = centres[:, torch.arange(candidates) % 4] + 0.7 * noise
    cosines = (normalize(rows, dim=-1) * normalize(centres[:, :1], dim=-1)).sum(-1)
    order = cosines.argsort(descending=True)
    return centres[:, 0], rows.gather(1, order[..., None].expand_as(rows))


def everything(nodes: torch.Tensor) -> torch.Tensor:
    return torch.ones(nodes.shape[:-1], dtype=torch.bool)


@pytest.mark.parametrize(("k1", "k2", "lambda_value"), SETTINGS[:3])
def test_parity_with_the_published_distances(k1, k2, lambda_value, shared_fixtures):
    tensors = load_file(shared_fixtures / "k_reciprocal.safetensors")
    nodes = torch.cat([tensors["query"], tensors["gallery"]])
    found = k_reciprocal_distances(nodes, everything(nodes), 6, k1, k2, lambda_value)
    torch.testing.assert_close(found.float(), tensors[f"dist_{k1}_{k2}_{lambda_value}"], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(("k1", "k2", "lambda_value"), SETTINGS)
def test_scores_equal_sets_and_loops(k1, k2, lambda_value):
    query, candidates = lists()
    nodes = torch.cat([query[:, None], candidates], dim=1).numpy()
    expected = np.stack([-naive_distances(rows, 1, k1, k2, lambda_value)[0] for rows in nodes])
    found = k_reciprocal(query, candidates, None, k1, k2, lambda_value)
    torch.testing.assert_close(found, torch.from_numpy(expected), rtol=0, atol=1e-12)


@pytest.mark.parametrize("num_queries", [1, 4])
def test_sets_of_several_queries_are_batched(num_queries):
    nodes = torch.randn(2, 3, 20, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    found = k_reciprocal_distances(nodes, everything(nodes), num_queries, 7, 3, 0.3)
    expected = [naive_distances(rows, num_queries, 7, 3, 0.3) for rows in nodes.flatten(0, 1).numpy()]
    assert found.shape == (2, 3, num_queries, 20 - num_queries)
    torch.testing.assert_close(found.flatten(0, 1), torch.from_numpy(np.stack(expected)), rtol=0, atol=1e-12)


def test_a_query_does_not_see_the_others():
    query, candidates = lists()
    mask = torch.arange(24) < torch.tensor([[24], [0], [9]])
    together = k_reciprocal(query, candidates, mask, k1=6, k2=3)
    alone = [k_reciprocal(query[i : i + 1], candidates[i : i + 1], mask[i : i + 1], k1=6, k2=3) for i in range(3)]
    torch.testing.assert_close(together, torch.cat(alone), rtol=0, atol=1e-12)


@pytest.mark.parametrize(("k1", "k2", "lambda_value"), SETTINGS)
@pytest.mark.parametrize("length", [1, 2, 4, 7, 10, 23])
def test_a_masked_list_equals_a_shorter_one(length, k1, k2, lambda_value):
    query, candidates = lists()
    mask = everything(candidates)
    mask[:, length:] = False
    expected = k_reciprocal(query, candidates[:, :length], None, k1, k2, lambda_value)
    candidates[:, length:] = torch.nan
    scores = k_reciprocal(query, candidates, mask, k1, k2, lambda_value)
    torch.testing.assert_close(scores[:, :length], expected, rtol=0, atol=1e-12)
    assert scores[:, length:].eq(-math.inf).all()


def test_neighbourhoods_outvote_a_closer_candidate():
    """The nearest of the group on the right, 16 degrees away, is nearer than the far end of the query's own, 18."""
    angles = torch.tensor([[0.0, -5.0, -11.0, 16.0, -18.0, 18.0, 20.0, 22.0]]).deg2rad()
    nodes = torch.stack([angles.cos(), angles.sin()], dim=-1)
    stranger, far_end = 2, 3
    before, after = (k_reciprocal(nodes[:, 0], nodes[:, 1:], None, 3, 1, share)[0] for share in (1.0, 0.3))
    assert before[stranger] > before[far_end] and after[stranger] < after[far_end]


def test_lambda_1_keeps_the_order_of_the_first_search():
    scores = k_reciprocal(*lists(), k1=6, k2=3, lambda_value=1.0)
    assert scores.diff(dim=-1).lt(0).all()


def test_scores_lie_between_minus_1_and_0():
    scores = k_reciprocal(*lists(), k1=6, k2=3)
    assert scores.min() >= -1 and scores.max() <= 0


def test_duplicates_share_one_score():
    query, candidates = (rows.float() for rows in lists())
    candidates[:, 1] = candidates[:, 0] = query
    scores = k_reciprocal(query, candidates, k1=6, k2=1)
    torch.testing.assert_close(scores[:, 0], scores[:, 1], rtol=0, atol=1e-6)
    assert (scores[:, :1] > scores[:, 2:]).all()


def test_more_duplicates_than_neighbours_stay_finite():
    query, candidates = lists()
    candidates[:, :20] = candidates[:, :1]
    assert k_reciprocal(query, candidates, k1=6, k2=3).isfinite().all()


def test_a_list_of_the_query_alone_stays_finite():
    query = torch.ones(1, 4)
    assert k_reciprocal(query, query[:, None].expand(1, 3, 4)).isfinite().all()
    assert k_reciprocal(query, torch.zeros(1, 0, 4)).shape == (1, 0)


def test_half_precision_is_computed_in_float32():
    """300 candidates: autocast's bfloat16, which counts to 256 only, would get the sizes of neighbourhoods wrong."""
    query, candidates = (rows.bfloat16() for rows in lists(queries=1, candidates=300))
    with torch.autocast("cpu", torch.bfloat16):
        scores = k_reciprocal(query, candidates, k1=290, k2=3)
    assert scores.dtype == torch.float32
    assert torch.equal(scores, k_reciprocal(query.float(), candidates.float(), k1=290, k2=3))


def test_no_tensor_is_larger_than_a_matrix_a_list():
    sizes = []

    class Sizes(TorchDispatchMode):
        def __torch_dispatch__(self, function, types, args=(), kwargs=None):
            result = function(*args, **(kwargs or {}))
            sizes.extend(part.numel() for part in tree_leaves(result) if isinstance(part, torch.Tensor))
            return result

    with Sizes():
        k_reciprocal(*lists(queries=3, candidates=49))
    assert max(sizes) == 3 * 50 * 50


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"k1": 0}, "`k1` and `k2` must be at least 1, got 0 and 6"),
        ({"k2": 0}, "`k1` and `k2` must be at least 1, got 20 and 0"),
        ({"lambda_value": 1.5}, r"`lambda_value` must be in \[0, 1\], got 1.5"),
        ({"candidate_mask": torch.ones(3, 5, dtype=torch.bool)}, r"`candidate_mask`.* \(3, 24\).* got .* \(3, 5\)"),
    ],
)
def test_wrong_arguments_are_named(settings, message):
    with pytest.raises(ValueError, match=message):
        k_reciprocal(*lists(), **settings)
