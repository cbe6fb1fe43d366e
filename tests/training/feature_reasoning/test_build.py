"""The FR model that a run starts with: new, or continued within what its weights allow."""

import pytest
import torch
from huggingface_hub.errors import StrictDataclassClassValidationError

from hf_fashion.models.feature_reasoning.modeling_feature_reasoning import FeatureReasoningModel
from hf_fashion.training.feature_reasoning.build import make_model
from hf_fashion.training.feature_reasoning.recipe import FeatureReasoningModelRecipe
from tests.tiny_feature_reasoning import tiny_feature_reasoning, tiny_lists


def test_a_new_model_has_the_recipes_configuration():
    model = make_model(FeatureReasoningModelRecipe(config={"num_candidates": 9, "hidden_size": 8}))
    assert model.config.num_candidates == 9 and model.query_update.fc1.weight.shape == (8, 19)


def test_a_model_of_two_rounds_starts_from_one_of_a_single_round(tmp_path):
    first = tiny_feature_reasoning()
    first.save_pretrained(tmp_path)
    recipe = FeatureReasoningModelRecipe(start_from=str(tmp_path), config={"num_rounds": 2, "num_candidates": 6})
    model = make_model(recipe)
    assert model.config.num_rounds == 2
    assert all(torch.equal(weight, first.state_dict()[name]) for name, weight in model.state_dict().items())


OTHERS = [("num_candidates", 9), ("hidden_size", 8), ("logit_scale_init_value", 0.0)]


@pytest.mark.parametrize(("name", "value"), OTHERS)
def test_what_is_fixed_by_the_weights_cannot_change(tmp_path, name, value):
    tiny_feature_reasoning().save_pretrained(tmp_path)
    with pytest.raises(ValueError, match=rf"`model.config.{name}` is {value}, .* made for"):
        make_model(FeatureReasoningModelRecipe(start_from=str(tmp_path), config={name: value}))


def test_a_started_model_is_what_its_saved_folder_loads_as(tmp_path):
    tiny_feature_reasoning().save_pretrained(tmp_path / "first")
    recipe = FeatureReasoningModelRecipe(start_from=str(tmp_path / "first"), config={"norm_eps": 0.5})
    model = make_model(recipe).eval()
    model.save_pretrained(tmp_path / "second")
    loaded = FeatureReasoningModel.from_pretrained(tmp_path / "second")
    assert torch.equal(loaded(**tiny_lists()).similarities, model(**tiny_lists()).similarities)
    assert not torch.equal(tiny_feature_reasoning()(**tiny_lists()).similarities, model(**tiny_lists()).similarities)


def test_a_started_model_cannot_have_no_rounds(tmp_path):
    tiny_feature_reasoning().save_pretrained(tmp_path)
    recipe = FeatureReasoningModelRecipe(start_from=str(tmp_path), config={"num_rounds": 0})
    with pytest.raises(StrictDataclassClassValidationError, match="`num_rounds` must be at least 1"):
        make_model(recipe)


def test_an_unknown_field_is_named():
    with pytest.raises(ValueError, match="rounds"):
        make_model(FeatureReasoningModelRecipe(config={"rounds": 2}))
