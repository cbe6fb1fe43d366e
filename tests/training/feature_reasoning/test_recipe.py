"""Recipes of FR: what is read, and errors that name the key."""

import pytest

from hf_fashion.training.feature_reasoning.recipe import FeatureReasoningRecipe
from hf_fashion.training.recipes.shipped import FOLDER


PAPER = FOLDER / "feature_reasoning" / "paper.yaml"


def test_the_papers_recipe_has_its_settings():
    recipe = FeatureReasoningRecipe.read(PAPER)
    assert recipe.model.config["num_candidates"] + 1 == 500
    assert recipe.loss.pairs == "all" and not recipe.loss.learn_scale


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("model.embedder=''", "`model.embedder` must name the embedding model"),
        ("loss.pairs=some", r"`loss.pairs`"),
        ("lists.max_average_precision=0", "must be above 0 and at most 1; got 0.0"),
        ("lists.min_positives=0", "recipe.lists.min_positives must be at least 1; got 0"),
        ("lists.per_attribute=0", "recipe.lists.per_attribute must be at least 1; got 0"),
        ("training.gradient_checkpointing=true", "`training.gradient_checkpointing` must be false"),
        ("training.stages=[{epochs: 1, learning_rate: 1.0, trainable: new}]", "trainable"),
        ("data.source_size=96", "unknown key 'source_size'"),
        ("data.on_leak=maybe", "data.on_leak"),
        ("lists.maximum=1", "unknown key 'maximum'"),
    ],
)
def test_what_is_not_allowed_is_named(change, message):
    with pytest.raises(ValueError, match=message):
        FeatureReasoningRecipe.read(PAPER, [change])
