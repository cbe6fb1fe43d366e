"""The model that a run of FR starts with, and its loss."""

import math

import pytest
import torch
from huggingface_hub.errors import StrictDataclassClassValidationError

from hf_fashion.losses.feature_reasoning import feature_reasoning_loss
from hf_fashion.models.feature_reasoning.modeling_feature_reasoning import FeatureReasoningModel
from hf_fashion.training.feature_reasoning.recipe import FeatureReasoningModelRecipe, ReasoningLossRecipe
from hf_fashion.training.feature_reasoning.step import make_feature_reasoning, reasoning_loss
from tests.tiny_feature_reasoning import tiny_feature_reasoning, tiny_lists


def batch() -> dict[str, torch.Tensor]:
    positives = torch.tensor([[True, False, True, False, False, True]] * 3)
    lists = {name: embeds.float() for name, embeds in tiny_lists().items()}
    return lists | {"positives": positives, "candidate_mask": torch.ones_like(positives)}


def test_a_new_model_has_the_recipes_configuration():
    model = make_feature_reasoning(FeatureReasoningModelRecipe(config={"num_candidates": 9, "hidden_size": 8}))
    assert model.config.num_candidates == 9 and model.query_update.fc1.weight.shape == (8, 19)


def test_a_model_of_two_rounds_starts_from_one_of_a_single_round(tmp_path):
    first = tiny_feature_reasoning()
    first.save_pretrained(tmp_path)
    recipe = FeatureReasoningModelRecipe(start_from=str(tmp_path), config={"num_rounds": 2, "num_candidates": 6})
    model = make_feature_reasoning(recipe)
    assert model.config.num_rounds == 2
    assert all(torch.equal(weight, first.state_dict()[name]) for name, weight in model.state_dict().items())


OTHERS = [("num_candidates", 9), ("hidden_size", 8), ("logit_scale_init_value", 0.0)]


@pytest.mark.parametrize(("name", "value"), OTHERS)
def test_what_is_fixed_by_the_weights_cannot_change(tmp_path, name, value):
    tiny_feature_reasoning().save_pretrained(tmp_path)
    with pytest.raises(ValueError, match=rf"`model.config.{name}` is {value}, .* made for"):
        make_feature_reasoning(FeatureReasoningModelRecipe(start_from=str(tmp_path), config={name: value}))


def test_a_started_model_is_what_its_saved_folder_loads_as(tmp_path):
    tiny_feature_reasoning().save_pretrained(tmp_path / "first")
    recipe = FeatureReasoningModelRecipe(start_from=str(tmp_path / "first"), config={"norm_eps": 0.5})
    model = make_feature_reasoning(recipe).eval()
    model.save_pretrained(tmp_path / "second")
    loaded = FeatureReasoningModel.from_pretrained(tmp_path / "second")
    assert torch.equal(loaded(**tiny_lists()).similarities, model(**tiny_lists()).similarities)
    assert not torch.equal(tiny_feature_reasoning()(**tiny_lists()).similarities, model(**tiny_lists()).similarities)


def test_a_started_model_cannot_have_no_rounds(tmp_path):
    tiny_feature_reasoning().save_pretrained(tmp_path)
    recipe = FeatureReasoningModelRecipe(start_from=str(tmp_path), config={"num_rounds": 0})
    with pytest.raises(StrictDataclassClassValidationError, match="`num_rounds` must be at least 1"):
        make_feature_reasoning(recipe)


def test_an_unknown_field_is_named():
    with pytest.raises(ValueError, match="rounds"):
        make_feature_reasoning(FeatureReasoningModelRecipe(config={"rounds": 2}))


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
    losses = reasoning_loss(ReasoningLossRecipe(pairs=pairs))(model, model, given)
    torch.testing.assert_close(losses["loss"], expected, rtol=1e-4, atol=0)


@pytest.mark.parametrize("learn_scale", [False, True])
def test_the_scale_is_learned_where_the_recipe_says_so(learn_scale):
    model = tiny_feature_reasoning(logit_scale_init_value=math.log(10))
    reasoning_loss(ReasoningLossRecipe("query", learn_scale))(model, model, batch())["loss"].backward()
    assert (model.logit_scale.grad is not None) == learn_scale


def test_steps_bring_the_right_candidates_forward():
    model, given = tiny_feature_reasoning(), batch()
    loss_of = reasoning_loss(ReasoningLossRecipe())
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    losses = []
    for _ in range(30):
        loss = loss_of(model, model, given)["loss"]
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    outputs = model(given["query_embeds"], given["candidate_embeds"])
    assert losses[-1] < 0.5 * losses[0]
    change = outputs.similarities - outputs.initial_similarities
    assert change[given["positives"]].mean() > change[~given["positives"]].mean() + 0.1
