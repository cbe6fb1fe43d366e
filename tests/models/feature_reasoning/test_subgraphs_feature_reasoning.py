"""Equations 12 and 13 of the IPAD paper, each against its plain reading."""

import pytest
import torch
from torch.nn.functional import normalize

from hf_fashion.models.feature_reasoning.subgraphs_feature_reasoning import (
    aggregate,
    first_copies,
    move,
    sort_candidates,
    subgraphs,
)


QUERIES, CANDIDATES, DIM = 3, 5, 7
NODES = CANDIDATES + 1


def random_features(seed: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(QUERIES, NODES, DIM, dtype=torch.float64, generator=generator)


def similarities_of(features: torch.Tensor) -> torch.Tensor:
    units = normalize(features, dim=-1)
    return units @ units.mT  # (Q, n, n)


def summed_by_hand(updates: torch.Tensor, orders: torch.Tensor) -> torch.Tensor:
    """G of eq. 12, entry by entry; node 0 is the query, so candidate c is node c + 1."""
    graph = torch.zeros(QUERIES, NODES, NODES, dtype=updates.dtype)
    for q in range(QUERIES):
        for node in range(NODES):
            graph[q, node, 0] += updates[q, node, 0]
            for place, candidate in enumerate(orders[q, node].tolist()):
                graph[q, node, candidate + 1] += updates[q, node, 1 + place]
                graph[q, 0, candidate + 1] += updates[q, node, 1 + CANDIDATES + place]
    return graph


def test_every_node_sorts_the_candidates_by_its_own_similarities():
    similarities = similarities_of(random_features())[..., 1:]
    values, orders = sort_candidates(similarities, None)
    assert torch.equal(values, similarities.gather(-1, orders)) and (values[..., :-1] >= values[..., 1:]).all()
    assert (orders.sort(-1).values == torch.arange(CANDIDATES)).all()


@pytest.mark.parametrize("mask", [None, torch.ones(1, 4, dtype=torch.bool)])
def test_equal_similarities_keep_the_order_of_the_list(mask):
    similarities = torch.tensor([[[0.5, 0.7, 0.5, 0.7]]])
    assert sort_candidates(similarities, mask)[1].tolist() == [[[1, 3, 0, 2]]]


def test_copies_are_read_at_the_first_of_them():
    first, second = torch.eye(6, dtype=torch.float64)[:2]
    rows = torch.stack([first, second, first + 1e-7 * second, second, first + 0.01 * second, 0 * first])
    units = normalize(rows, dim=-1)
    assert first_copies((units @ units.T)[None]).tolist() == [[0, 1, 0, 1, 4, 5]]


def test_candidates_that_are_not_there_come_last():
    mask = torch.tensor([[True, False, True, True, False]] * QUERIES)
    values, orders = sort_candidates(similarities_of(random_features())[..., 1:], mask)
    assert set(orders[..., 3:].flatten().tolist()) == {1, 4} and (values[..., 3:] == 0).all()


def test_a_subgraph_is_the_row_of_the_node_and_the_row_of_the_query_in_the_nodes_order():
    similarities = similarities_of(random_features())
    values, orders = sort_candidates(similarities[..., 1:], None)
    delta = subgraphs(similarities[:, :1, 1:], values, orders)
    assert delta.shape == (QUERIES, NODES, 2 * CANDIDATES + 1)
    for q in range(QUERIES):
        for node in range(NODES):
            in_order = orders[q, node] + 1
            row, of_query = similarities[q, node], similarities[q, 0]
            expected = torch.cat([row[:1], row[in_order], of_query[in_order]])
            torch.testing.assert_close(delta[q, node], expected)


@pytest.mark.parametrize("num_own", [NODES, 1])
def test_equation_12_sums_the_updates_of_all_subgraphs_at_their_places(num_own):
    """Where only the query is to move, what candidates ask of each other is left out."""
    _, orders = sort_candidates(similarities_of(random_features())[..., 1:], None)
    updates = torch.randn(QUERIES, NODES, 2 * CANDIDATES + 1, dtype=torch.float64)
    graph = summed_by_hand(updates, orders)
    both_ways = graph + graph.mT
    with_query, own, of_query = updates.split([1, CANDIDATES, CANDIDATES], dim=-1)
    to_candidates, among = aggregate(with_query, own[:, :num_own], of_query, orders)
    torch.testing.assert_close(to_candidates, both_ways[:, :1, 1:])
    torch.testing.assert_close(among, graph[:, 1:num_own, 1:])


def test_equation_13_is_a_step_down_the_gradient_of_the_summed_cosines():
    features = (3 * random_features()).requires_grad_()  # of lengths other than 1
    graph = torch.randn(QUERIES, NODES, NODES, dtype=torch.float64)
    asked = (graph * similarities_of(features)).sum()
    (gradient,) = torch.autograd.grad(asked, features)
    pulls = (graph + graph.mT) @ normalize(features, dim=-1)
    torch.testing.assert_close(move(features, pulls, 0.05), features - 0.05 * gradient)


def test_equation_13_brings_the_cosines_nearer_to_the_target():
    """The printed loss: half the squared distance of the cosines to S + O(S); its gradient at S is that of -<O, S>."""
    features = random_features().requires_grad_()
    asked = 0.1 * torch.randn(QUERIES, NODES, NODES, dtype=torch.float64)
    similarities = similarities_of(features)
    target = (similarities + asked).detach()
    distance = (target - similarities).square().sum() / 2
    (gradient,) = torch.autograd.grad(distance, features)
    moved = move(features, -(asked + asked.mT) @ normalize(features, dim=-1), 1e-3)
    torch.testing.assert_close(moved, features - 1e-3 * gradient)
    assert (target - similarities_of(moved)).square().sum() / 2 < distance


def test_a_feature_of_zeros_stays_where_it_is():
    zeros = torch.zeros(2, DIM)
    assert (move(zeros, torch.zeros(2, DIM), 0.1) == 0).all()
