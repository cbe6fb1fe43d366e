"""What a run of attribute-specific training starts with: processors, model, batches, cluster centres."""

import logging
from dataclasses import fields
from typing import Any

import torch
from torch import Tensor
from transformers import AutoConfig, PreTrainedConfig, PreTrainedModel

from ...data.attributes.labels import AttributeLabels
from ...data.attributes.vocabulary import AttributeVocabulary
from ...data.column_map import ColumnMap
from ...data.samplers.pk_batches import PKBatchSampler
from ...data.samplers.triplet_batches import TripletBatchSampler
from ...embedding.attribute_texts import embed_attribute_texts
from ...models.attribute.configuration_asen import AsenConfig
from ...models.attribute.configuration_ipad import IpadConfig
from ...models.attribute.image_processing_attribute import AttributeImageProcessorPil
from ...models.attribute.modeling_asen import AsenModel
from ...models.attribute.modeling_ipad import IpadModel
from ..recipe_file import check_keys, merge
from .branches import centred_branches
from .diverging import AttributeDiverging
from .recipe import AttributeModelRecipe, AttributeRecipe


logger = logging.getLogger(__name__)

CLASSES = {"asen": (AsenConfig, AsenModel), "ipad": (IpadConfig, IpadModel)}
FROM_CORPUS = ("attribute_names", "attribute_values", "attribute_text_dim")  # the last from `attribute_texts`
# Configuration of a backbone -> the key of a recipe that names its checkpoint.
CHECKPOINTS = {
    "backbone_config": "backbone",
    "local_backbone_config": "local_backbone",
    "vit_config": "local_backbone",
}


def make_texts(recipe: AttributeModelRecipe, vocabulary: AttributeVocabulary) -> Tensor | None:
    """Return the text vectors of the attributes, (A, T), or `None` if the recipe names no text encoder.

    Args:
        recipe (`AttributeModelRecipe`): `attribute_texts`.
        vocabulary (`AttributeVocabulary`): attributes and values.
    """
    if recipe.attribute_texts is None:
        return None
    return embed_attribute_texts(recipe.attribute_texts, vocabulary.attribute_values)


def make_config(
    recipe: AttributeModelRecipe, vocabulary: AttributeVocabulary, texts: Tensor | None = None
) -> PreTrainedConfig:
    """Return the model's configuration: that of `start_from` with the recipe's changes, or a new one.

    Args:
        recipe (`AttributeModelRecipe`): architecture and fields.
        vocabulary (`AttributeVocabulary`): attributes and values of a new model; a continued one keeps its own.
        texts (`torch.Tensor` of shape `(A, T)`, *optional*): from [`make_texts`].

    Raises:
        ValueError: if `model.config` has a key that the architecture lacks, or one that the corpus decides; if
            `start_from` is of another architecture.
    """
    config_class, _ = CLASSES[recipe.architecture]
    check_keys("model.config", recipe.config, {entry.name for entry in fields(config_class)} - set(FROM_CORPUS))
    changes = complete_backbones(recipe)
    if recipe.start_from:
        stored, _ = config_class.get_config_dict(recipe.start_from)
        if stored.get("model_type") != recipe.architecture:
            raise ValueError(
                f"`model.start_from` {recipe.start_from!r} is of architecture {stored.get('model_type')!r}, but "
                f"`model.architecture` is {recipe.architecture!r}."
            )
        return config_class.from_dict(merge(_without_replaced(stored, changes), changes))
    return config_class(
        attribute_names=list(vocabulary.attribute_names),
        attribute_values=dict(vocabulary.attribute_values),
        attribute_text_dim=None if texts is None else texts.shape[1],
        **changes,
    )


def _without_replaced(stored: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """Leave out the backbones that are replaced by those of another model type, which share no fields with them."""
    types = {name: value.get("model_type") for name, value in changes.items() if isinstance(value, dict)}
    replaced = {name for name, kind in types.items() if kind and kind != (stored.get(name) or {}).get("model_type")}
    return {name: value for name, value in stored.items() if name not in replaced}


def complete_backbones(recipe: AttributeModelRecipe) -> dict[str, Any]:
    """Return `model.config` with whole configurations of the backbones.

    A backbone's configuration without a `model_type` lists changes to that of the pretrained backbone; `{}` is that
    configuration as it is.

    Args:
        recipe (`AttributeModelRecipe`): `config`, `backbone` and `local_backbone`.
    """
    config, general = dict(recipe.config), PreTrainedConfig().to_dict().keys() - {"model_type"}
    for name, key in CHECKPOINTS.items():
        source, changes = getattr(recipe, key), config.get(name)
        if source and changes is not None and "model_type" not in changes:
            stored = AutoConfig.from_pretrained(source, trust_remote_code=False).to_dict()
            config[name] = {field: value for field, value in stored.items() if field not in general} | changes
    return config


def warn_of_untrained(column_map: ColumnMap, vocabulary: AttributeVocabulary) -> None:
    """Warn of attributes of the column map that a continued model does not have.

    Args:
        column_map (`ColumnMap`): the attributes that the recipe asks for.
        vocabulary (`AttributeVocabulary`): the model's.
    """
    others = [name for name in column_map.attributes if name not in vocabulary.attribute_names]
    if others:
        logger.warning(
            "The model of `model.start_from` has the attributes %s: %s are not trained. `hf-fashion add-attribute` "
            "adds them to it.",
            *(list(vocabulary.attribute_names), others),
        )


def make_model(recipe: AttributeModelRecipe, config: PreTrainedConfig, texts: Tensor | None = None) -> PreTrainedModel:
    """Return the model in float32: continued, with pretrained backbones, or with random weights.

    Args:
        recipe (`AttributeModelRecipe`): where the weights come from.
        config (`PreTrainedConfig`): from [`make_config`].
        texts (`torch.Tensor` of shape `(A, T)`, *optional*): from [`make_texts`].

    Raises:
        ValueError: if a checkpoint does not fit the configuration, or the branch of `local_backbone` is missing.
    """
    _, model_class = CLASSES[recipe.architecture]
    if recipe.start_from:
        options = {"config": config, "dtype": torch.float32, "use_safetensors": True}
        model = model_class.from_pretrained(recipe.start_from, **options)
    elif recipe.backbone:
        model = model_class.from_backbones(config, recipe.backbone)
    else:
        model = model_class(config)
    if recipe.local_backbone:
        model.load_region_backbone(recipe.local_backbone)
    if texts is not None:
        model.set_attribute_texts(texts)
    return model


def make_processors(
    recipe: AttributeRecipe, config: PreTrainedConfig
) -> tuple[AttributeImageProcessorPil, AttributeImageProcessorPil | None]:
    """Return the image processor of the export, and that of the photos that regions are cropped from in training.

    A new model takes the mean and the standard deviation of its pretrained backbone, ImageNet's if it names none.

    Args:
        recipe (`AttributeRecipe`): `model.start_from`, `model.backbone`, `data.source_size`.
        config (`PreTrainedConfig`): `image_size`.

    Raises:
        ValueError: if regions of `start_from` are cropped from the photo, and those of this training would not be.
    """
    model, source_size = recipe.model, recipe.data.source_size
    statistics = image_statistics(model.backbone) if model.backbone else {}
    processor = square_processor(config.image_size, model.start_from, **statistics)
    if source_size is None and processor.do_source:
        raise ValueError(
            f"`model.start_from` {model.start_from!r} crops its regions from the photo, of up to "
            f"{processor.source_longest_edge} pixels, and would be trained on regions of its input of "
            f"{config.image_size}. Set `data.source_size`, to that of its own training if it is known, such as 320."
        )
    if source_size is None:
        return processor, None
    processor.do_source = True
    return processor, square_processor(source_size, model.start_from, **statistics)


def image_statistics(backbone: str) -> dict[str, list[float]]:
    """Return `image_mean` and `image_std` of the image processor of a pretrained model, none if it has no processor.

    Args:
        backbone (`str`): folder or Hub id.
    """
    try:
        stored, _ = AttributeImageProcessorPil.get_image_processor_dict(backbone)
    except OSError:  # no such file
        return {}
    return {name: stored[name] for name in ("image_mean", "image_std") if name in stored}


def square_processor(
    size: int, start_from: str | None = None, **statistics: list[float]
) -> AttributeImageProcessorPil:
    """Return an image processor that scales the shortest edge to `size` and crops the centre square.

    Args:
        size (`int`): edge of the square.
        start_from (`str`, *optional*): folder or Hub id with an image processor, whose other settings are kept.
        statistics (`dict[str, list[float]]`): `image_mean` and `image_std`, from [`image_statistics`].
    """
    sizes = {"size": {"shortest_edge": size}, "crop_size": {"height": size, "width": size}}
    if start_from is None:
        return AttributeImageProcessorPil(**sizes, **statistics)
    return AttributeImageProcessorPil.from_pretrained(start_from, **sizes)


def make_batch_sampler(recipe: AttributeRecipe, labels: AttributeLabels) -> PKBatchSampler | TripletBatchSampler:
    """Return the sampler that draws the batches.

    Args:
        recipe (`AttributeRecipe`): `sampling`, and the seed and batch size of `training`.
        labels (`AttributeLabels`): of the train split.

    Raises:
        ValueError: if too few images have the labels that a batch needs.
    """
    sampling, seed = recipe.sampling, recipe.training.seed
    if sampling.kind == "triplets":
        return TripletBatchSampler(labels, sampling.triplets_an_epoch, recipe.training.batch_size, seed)
    shape = (sampling.values_per_group, sampling.images_per_value, sampling.attributes_per_batch)
    return PKBatchSampler(labels, sampling.batches_an_epoch, *shape, seed)


def make_diverging(
    recipe: AttributeRecipe, model: PreTrainedModel, vocabulary: AttributeVocabulary
) -> AttributeDiverging | None:
    """Return the momentum encoder and the cluster centres, or `None` if no loss reads centres.

    Args:
        recipe (`AttributeRecipe`): `diverging`, and the losses of the stages.
        model (`PreTrainedModel`): the model, on its device.
        vocabulary (`AttributeVocabulary`): attributes and values of the model.
    """
    branches = dict.fromkeys(centred_branches(recipe.training.stages), model.config.embedding_dim)
    if not branches:
        return None
    settings = vars(recipe.diverging) | {"device": model.device}
    return AttributeDiverging(model, vocabulary.num_values, branches, **settings)
