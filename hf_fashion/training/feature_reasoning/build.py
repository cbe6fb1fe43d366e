"""The FR model that a run starts with."""

from dataclasses import fields

from ...embedding.whole_model import load_whole
from ...models.feature_reasoning.configuration_feature_reasoning import FeatureReasoningConfig
from ...models.feature_reasoning.modeling_feature_reasoning import FeatureReasoningModel
from ..recipe_file import check_keys
from .recipe import FeatureReasoningModelRecipe


# What the weights of a trained FR are made for, or contain.
FIXED_BY_WEIGHTS = ("num_candidates", "hidden_size", "logit_scale_init_value")


def make_model(recipe: FeatureReasoningModelRecipe) -> FeatureReasoningModel:
    """Return a new model, or the trained one that the recipe starts from.

    Args:
        recipe (`FeatureReasoningModelRecipe`): where the weights come from, and the configuration.

    Raises:
        ValueError: if `model.config` has a key that the configuration lacks, a value that it refuses, or one that
            does not fit the weights of `model.start_from`.
    """
    check_keys("model.config", recipe.config, {entry.name for entry in fields(FeatureReasoningConfig)})
    if recipe.start_from is None:
        return FeatureReasoningModel(FeatureReasoningConfig(**recipe.config))
    stored = FeatureReasoningConfig.from_pretrained(recipe.start_from)
    for name in FIXED_BY_WEIGHTS:
        if recipe.config.get(name, getattr(stored, name)) != getattr(stored, name):
            raise ValueError(
                f"`model.config.{name}` is {recipe.config[name]}, but the weights of `model.start_from` are made for "
                f"{getattr(stored, name)}."
            )
    config = FeatureReasoningConfig.from_dict(stored.to_dict() | recipe.config)
    return load_whole(recipe.start_from, FeatureReasoningModel, config=config)
