"""Equation 17 against a loop over its pairs, and against the published ancestor."""

import math

import pytest
import torch
from safetensors.torch import load_file
from torch.nn.functional import normalize

from hf_fashion.losses.feature_reasoning import feature_reasoning_loss


QUERIES, CANDIDATES, DIM = 4, 6, 5


def lists(seed: int = 0) -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return {
        "query_embeds": torch.randn(QUERIES, DIM, dtype=torch.float64, generator=generator),
        "candidate_embeds": torch.randn(QUERIES, CANDIDATES, DIM, dtype=torch.float64, generator=generator),
        "positives": torch.rand(QUERIES, CANDIDATES, generator=generator) < 0.5,
        "candidate_mask": torch.ones(QUERIES, CANDIDATES, dtype=torch.bool),
    }


def by_hand(query_embeds, candidate_embeds, positives, candidate_mask, temperature, query_rows_only) -> float:
    of_lists = []
    for query, candidates, right, there in zip(query_embeds, candidate_embeds, positives, candidate_mask, strict=True):
        images = [query, *candidates[there]]
        same = [True, *right[there].tolist()]
        cosine = [[float(normalize(a, dim=0) @ normalize(b, dim=0)) for b in images] for a in images]
        pairs = []
        for i in range(1 if query_rows_only else len(images)):
            for j in range(len(images)):
                if i != j and same[i] and same[j]:
                    own = math.exp(cosine[i][j] / temperature)
                    others = sum(math.exp(cosine[i][k] / temperature) for k in range(len(images)) if not same[k])
                    pairs.append(-math.log(own / (own + others)))
        if pairs:
            of_lists.append(sum(pairs) / len(pairs))
    return sum(of_lists) / len(of_lists)


@pytest.mark.parametrize("query_rows_only", [False, True])
@pytest.mark.parametrize("temperature", [0.07, 0.5])
def test_equation_17_is_the_mean_over_pairs_of_one_value(temperature, query_rows_only):
    given = lists()
    loss = feature_reasoning_loss(**given, temperature=temperature, query_rows_only=query_rows_only)
    assert loss.item() == pytest.approx(by_hand(*given.values(), temperature, query_rows_only))


def test_query_rows_equal_the_loss_of_the_published_ancestor(shared_fixtures):
    """The fixture gives similarities; two-dimensional features of those cosines with the query stand for them."""
    published = load_file(shared_fixtures / "ssr_k6_1step.safetensors")
    cosines = published["sim_after_reference"]
    candidates = torch.stack([cosines, (1 - cosines**2).sqrt()], dim=-1)[None]
    query = torch.tensor([[1.0, 0.0]], dtype=torch.float64)
    positives = published["label"][None] > 0
    temperature = 1 / published["w.scale_cls"]
    loss = feature_reasoning_loss(
        query, candidates, positives, torch.ones_like(positives), temperature, query_rows_only=True
    )
    torch.testing.assert_close(loss, published["loss"][0])


def test_masked_candidates_count_as_little_as_none():
    given = lists()
    mask = torch.arange(CANDIDATES) < 4
    shorter = {name: given[name][:, :4] for name in ("candidate_embeds", "positives", "candidate_mask")}
    masked = feature_reasoning_loss(**given | {"candidate_mask": mask.expand(QUERIES, -1)})
    torch.testing.assert_close(masked, feature_reasoning_loss(**given | shorter))


def test_lists_without_a_positive_do_not_count():
    given = lists()
    given["positives"][1] = False
    others = {name: tensor[[0, 2, 3]] for name, tensor in given.items()}
    torch.testing.assert_close(feature_reasoning_loss(**given), feature_reasoning_loss(**others))


@pytest.mark.parametrize("right", [True, False])
def test_lists_of_one_value_teach_nothing_and_break_nothing(right):
    given = lists()
    given["positives"][:] = right
    given["query_embeds"].requires_grad_()
    loss = feature_reasoning_loss(**given)
    loss.backward()
    assert loss == 0 and (given["query_embeds"].grad == 0).all()


def test_gradients_agree_with_finite_differences():
    given = lists()

    def loss(query_embeds: torch.Tensor, candidate_embeds: torch.Tensor) -> torch.Tensor:
        embeds = {"query_embeds": query_embeds, "candidate_embeds": candidate_embeds}
        return feature_reasoning_loss(**given | embeds)

    leaves = [given[name].requires_grad_() for name in ("query_embeds", "candidate_embeds")]
    assert torch.autograd.gradcheck(loss, leaves)


def test_half_precision_does_not_reach_it():
    given = {name: tensor.float() if tensor.is_floating_point() else tensor for name, tensor in lists().items()}
    with torch.autocast("cpu", dtype=torch.bfloat16):
        loss = feature_reasoning_loss(**given)
    assert torch.equal(loss, feature_reasoning_loss(**given))


def test_separated_values_cost_nothing():
    given = lists()
    right = given["positives"][..., None].double()
    direction = torch.eye(DIM, dtype=torch.float64)[0]
    given |= {"query_embeds": direction.expand(QUERIES, -1), "candidate_embeds": (2 * right - 1) * direction}
    assert feature_reasoning_loss(**given) < 1e-6
