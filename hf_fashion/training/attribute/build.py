"""The image processors and the model that a run of attribute-specific training starts with."""

from dataclasses import fields

import torch
from transformers import PreTrainedConfig, PreTrainedModel

from ...data.attributes.vocabulary import AttributeVocabulary
from ...models.attribute.backbone_attribute import load_pretrained
from ...models.attribute.configuration_asen import AsenConfig
from ...models.attribute.configuration_ipad import IpadConfig
from ...models.attribute.image_processing_attribute import AttributeImageProcessorPil
from ...models.attribute.modeling_asen import AsenModel
from ...models.attribute.modeling_ipad import IpadModel
from ..recipe_file import check_keys, merge
from .recipe import AttributeModelRecipe, AttributeRecipe


CLASSES = {"asen": (AsenConfig, AsenModel), "ipad": (IpadConfig, IpadModel)}
FROM_CORPUS = ("attribute_names", "attribute_values")
# Where the backbone of the branch that sees the region is to be found.
LOCAL_BACKBONES = {"asen": "local_branch.backbone", "ipad": "semantics.vit"}


def make_config(recipe: AttributeModelRecipe, vocabulary: AttributeVocabulary) -> PreTrainedConfig:
    """The model's configuration: that of `start_from` with the recipe's changes, or a new one.

    Args:
        recipe (`AttributeModelRecipe`): architecture and fields.
        vocabulary (`AttributeVocabulary`): attributes and values of a new model; those of a continued one are its own.

    Raises:
        ValueError: if `model.config` has a key that the architecture has not, or one that the corpus decides; if
            `start_from` is of another architecture.
    """
    config_class, _ = CLASSES[recipe.architecture]
    check_keys("model.config", recipe.config, {entry.name for entry in fields(config_class)} - set(FROM_CORPUS))
    if recipe.start_from:
        stored, _ = config_class.get_config_dict(recipe.start_from)
        if stored.get("model_type") != recipe.architecture:
            raise ValueError(
                f"`model.start_from` {recipe.start_from!r} is of architecture {stored.get('model_type')!r}, and "
                f"`model.architecture` is {recipe.architecture!r}."
            )
        return config_class.from_dict(merge(stored, recipe.config))
    return config_class(
        attribute_names=list(vocabulary.attribute_names),
        attribute_values=dict(vocabulary.attribute_values),
        **recipe.config,
    )


def make_model(recipe: AttributeModelRecipe, config: PreTrainedConfig) -> PreTrainedModel:
    """The model, in float32: continued, around pretrained backbones, or from random weights.

    Args:
        recipe (`AttributeModelRecipe`): where weights come from.
        config (`PreTrainedConfig`): from [`make_config`].

    Raises:
        ValueError: if a checkpoint does not fit the configuration, or there is no branch for `local_backbone`.
    """
    _, model_class = CLASSES[recipe.architecture]
    if recipe.start_from:
        model = model_class.from_pretrained(recipe.start_from, config=config, dtype=torch.float32)
    elif recipe.backbone:
        model = model_class.from_backbones(config, recipe.backbone)
    else:
        model = model_class(config)
    if recipe.local_backbone:
        load_pretrained(_local_backbone(model, recipe.architecture), recipe.local_backbone)
    return model


def _local_backbone(model: PreTrainedModel, architecture: str) -> PreTrainedModel:
    branch, name = LOCAL_BACKBONES[architecture].split(".")
    if getattr(model, branch) is None:
        raise ValueError("`model.local_backbone` is for a branch that `model.config` leaves out.")
    return getattr(getattr(model, branch), name)


def make_processors(
    recipe: AttributeRecipe, config: PreTrainedConfig
) -> tuple[AttributeImageProcessorPil, AttributeImageProcessorPil | None]:
    """The image processor that is exported, and the one that prepares what regions are cropped from in training.

    Args:
        recipe (`AttributeRecipe`): `model.start_from`, `data.source_size`.
        config (`PreTrainedConfig`): `image_size`.
    """
    processor = square_processor(config.image_size, recipe.model.start_from)
    source_size = recipe.data.source_size
    if source_size is None:
        return processor, None
    processor.do_source = True
    return processor, square_processor(source_size, recipe.model.start_from)


def square_processor(size: int, start_from: str | None = None) -> AttributeImageProcessorPil:
    """An image processor that scales the shortest edge to `size` and crops the centre square.

    Args:
        size (`int`): edge of the square.
        start_from (`str`, *optional*): folder or Hub id with an image processor, whose other settings are kept.
    """
    sizes = {"size": {"shortest_edge": size}, "crop_size": {"height": size, "width": size}}
    if start_from is None:
        return AttributeImageProcessorPil(**sizes)
    return AttributeImageProcessorPil.from_pretrained(start_from, **sizes)
