"""The model and the loss of a training step of FR."""

from dataclasses import fields

import torch
from transformers import PreTrainedModel

from ...losses.feature_reasoning import feature_reasoning_loss
from ...models.feature_reasoning.configuration_feature_reasoning import FeatureReasoningConfig
from ...models.feature_reasoning.modeling_feature_reasoning import FeatureReasoningModel
from ..recipe_file import check_keys
from .recipe import FeatureReasoningModelRecipe, ReasoningLossRecipe


# What the weights of a trained FR are made for, or hold themselves.
FIXED_BY_WEIGHTS = ("num_candidates", "hidden_size", "logit_scale_init_value")


def make_feature_reasoning(recipe: FeatureReasoningModelRecipe) -> FeatureReasoningModel:
    """A new model, or the one to go on with.

    Args:
        recipe (`FeatureReasoningModelRecipe`): where weights come from, and the configuration.

    Raises:
        ValueError: if `model.config` has a key that the configuration has not, a value that it refuses, or one that
            the weights of `model.start_from` do not allow.
    """
    check_keys("model.config", recipe.config, {entry.name for entry in fields(FeatureReasoningConfig)})
    if recipe.start_from is None:
        return FeatureReasoningModel(FeatureReasoningConfig(**recipe.config))
    stored = FeatureReasoningConfig.from_pretrained(recipe.start_from)
    for name in FIXED_BY_WEIGHTS:
        if recipe.config.get(name, getattr(stored, name)) != getattr(stored, name):
            raise ValueError(
                f"`model.config.{name}` is {recipe.config[name]}, and the weights of `model.start_from` are made for "
                f"{getattr(stored, name)}."
            )
    config = FeatureReasoningConfig.from_dict(stored.to_dict() | recipe.config)
    return FeatureReasoningModel.from_pretrained(recipe.start_from, config=config)


def reasoning_loss(recipe: ReasoningLossRecipe):
    """The loss that [`TrainingLoop`] calls: equation 17 on batches of `collate_lists`.

    Args:
        recipe (`ReasoningLossRecipe`): which pairs count, and whether the scale of their cosines is learned.
    """

    def loss_of(wrapped, model: PreTrainedModel, batch: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        outputs = wrapped(batch["query_embeds"], batch["candidate_embeds"], batch["candidate_mask"])
        scale = outputs.logit_scale if recipe.learn_scale else outputs.logit_scale.detach()
        loss = feature_reasoning_loss(
            outputs.query_embeds,
            outputs.candidate_embeds,
            batch["positives"],
            batch["candidate_mask"],
            1 / scale,
            recipe.pairs == "query",
        )
        return {"loss": loss}

    return loss_of
