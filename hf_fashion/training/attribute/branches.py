"""The branches of an attribute-specific model, and those that the losses of a run read."""

from collections.abc import Sequence

from transformers import PreTrainedConfig

from ...losses.attribute import ATTRIBUTE_LOSSES
from .recipe import AttributeStageRecipe


# The field of its configuration that gives a model a branch that not every one has.
SOURCES = {
    "asen": {"local_embeds": "local_backbone_config"},
    "ipad": {"local_embeds": "use_semantic_branch", "background_embeds": "use_spatial_attention"},
}


def model_branches(config: PreTrainedConfig) -> list[str]:
    """Return the branches of a model, as fields of its output.

    Args:
        config (`AsenConfig` or `IpadConfig`): of the model.
    """
    sources = SOURCES[config.model_type]
    return ["global_embeds", *(branch for branch, field in sources.items() if getattr(config, field))]


def require_branches(stages: Sequence[AttributeStageRecipe], config: PreTrainedConfig) -> None:
    """Raise `ValueError` if a loss of some stage reads a branch that the model lacks, before any stage is trained.

    Args:
        stages (`Sequence[AttributeStageRecipe]`): the stages of a run.
        config (`AsenConfig` or `IpadConfig`): of the model.
    """
    branches, sources = model_branches(config), SOURCES[config.model_type]
    for number, stage in enumerate(stages):
        for name in stage.losses:
            missing = next((branch for branch in ATTRIBUTE_LOSSES[name].branches if branch not in branches), None)
            if missing is not None:
                advice = f", or set `model.config.{sources[missing]}`" if missing in sources else ""
                raise ValueError(
                    f"`training.stages[{number}].losses` names {name}, which reads `{missing}`, and this "
                    f"{config.model_type} has only {', '.join(branches)}: remove the loss{advice}."
                )


def centred_branches(stages: Sequence[AttributeStageRecipe]) -> list[str]:
    """Return the branches whose cluster centres a loss of some stage reads, as fields of a model's output.

    Args:
        stages (`Sequence[AttributeStageRecipe]`): the stages of a run.
    """
    names = {name for stage in stages for name in stage.losses}
    branches = (loss.centres_of for name, loss in ATTRIBUTE_LOSSES.items() if name in names)
    return list(dict.fromkeys(filter(None, branches)))
