"""A step of training FR: its loss, and what it teaches."""

import math

import pytest
import torch

from hf_fashion.losses.feature_reasoning import feature_reasoning_loss
from hf_fashion.training.feature_reasoning.recipe import ReasoningLossRecipe
from hf_fashion.training.feature_reasoning.step import FeatureReasoningStep
from tests.tiny_feature_reasoning import tiny_feature_reasoning, tiny_lists


def batch() -> dict[str, torch.Tensor]:
    positives = torch.tensor([[True, False, True, False, False, True]] * 3)
    lists = {name: embeds.float() for name, embeds in tiny_lists().items()}
    return lists | {"positives": positives, "candidate_mask": torch.ones_like(positives)}


@pytest.mark.parametrize("pairs", ["all", "query"])
def test_the_loss_is_equation_17_of_the_moved_features(pairs):
    model, given = tiny_feature_reasoning(), batch()
    outputs = model(given["query_embeds"], given["candidate_embeds"])
    expected = feature_reasoning_loss(
        outputs.query_embeds,
        outputs.candidate_embeds,
        given["positives"],
        given["candidate_mask"],
        0.07,
        pairs == "query",
    )
    losses = FeatureReasoningStep(ReasoningLossRecipe(pairs=pairs))(model, model, given)
    torch.testing.assert_close(losses["loss"], expected, rtol=1e-4, atol=0)


@pytest.mark.parametrize("learn_scale", [False, True])
def test_the_scale_is_learned_where_the_recipe_says_so(learn_scale):
    model = tiny_feature_reasoning(logit_scale_init_value=math.log(10))
    FeatureReasoningStep(ReasoningLossRecipe("query", learn_scale))(model, model, batch())["loss"].backward()
    assert (model.logit_scale.grad is not None) == learn_scale


def test_steps_bring_the_right_candidates_forward():
    model, given = tiny_feature_reasoning(), batch()
    step = FeatureReasoningStep(ReasoningLossRecipe())
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    losses = []
    for _ in range(30):
        loss = step(model, model, given)["loss"]
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    outputs = model(given["query_embeds"], given["candidate_embeds"])
    assert losses[-1] < 0.5 * losses[0]
    change = outputs.similarities - outputs.initial_similarities
    assert change[given["positives"]].mean() > change[~given["positives"]].mean() + 0.1
