"""The processor and the model that a run of E2, CLIP or FILIP starts with."""

import logging
from dataclasses import fields
from pathlib import Path
from typing import Any

import torch
from datasets import Dataset
from transformers import (
    CLIPConfig,
    CLIPModel,
    CLIPTextConfig,
    CLIPTextModel,
    CLIPVisionConfig,
    PreTrainedConfig,
    PreTrainedModel,
    PreTrainedTokenizerBase,
)

from ...data.column_map import ColumnMap
from ...data.products import product_tags
from ...data.tokenizer import check_vocabulary, train_tokenizer
from ...data.values import column_texts
from ...embedding.whole_model import load_whole
from ...models.e2.configuration_e2 import E2Config, E2VisionConfig
from ...models.e2.configuration_filip import FilipConfig
from ...models.e2.image_processing_e2 import E2ImageProcessorPil
from ...models.e2.modeling_e2 import E2Model
from ...models.e2.modeling_filip import FilipModel
from ...models.e2.processing_e2 import E2Processor
from ..recipe_file import check_keys
from ..run_folder.checkpoints import PROCESSOR_FOLDER
from .recipe import E2ModelRecipe
from .starts import check_start, check_towers, read_config, square_photos


logger = logging.getLogger(__name__)

# Fields of E2's vision tower that the whole configuration accepts too.
E2_FIELDS = {entry.name for entry in fields(E2VisionConfig)} - {entry.name for entry in fields(CLIPVisionConfig)}
TOWER_FIELDS = ("text_config", "vision_config", "projection_dim")
# Fields of E2's loss, which its baselines have not.
LOSS_FIELDS = {"contrastive_loss_weight", "region_loss_weight", "region_targets"}
# The models that are built around two encoders.
TOWER_MODELS = {"e2": E2Model, "clip": E2Model, "filip": FilipModel}


def choose_entities(recipe: E2ModelRecipe, column_map: ColumnMap) -> list[str]:
    """Return the tag entities in the model's order: of a continued E2, of the recipe, or all of the column map.

    Args:
        recipe (`E2ModelRecipe`): where to start.
        column_map (`ColumnMap`): its tags.

    Raises:
        ValueError: there are none, and an E2 is to be trained; or a continued E2 has others than the recipe.
    """
    if recipe.start_from and recipe.architecture == "e2":
        config = read_config(recipe.start_from)
        if config.model_type == "e2":
            _check_continued(recipe, config, column_map)
            return list(config.tag_entities)
    entities = list(recipe.config.get("tag_entities", column_map.tags))
    if not entities and recipe.architecture == "e2":
        raise ValueError(
            "architecture 'e2' learns from tags, and there are no tag entities: name the columns of `tags` in the "
            "column map, or train architecture 'clip'."
        )
    return entities


def _check_continued(recipe: E2ModelRecipe, config: PreTrainedConfig, column_map: ColumnMap) -> None:
    """Raise where the recipe names other entities than a continued E2 has, and say which the E2 lacks."""
    asked, entities = list(recipe.config.get("tag_entities", config.tag_entities)), list(config.tag_entities)
    if asked != entities:
        raise ValueError(
            f"`model.config.tag_entities` is {asked}, but the E2 of `model.start_from` {recipe.start_from!r} has "
            f"{entities}, each with its own selection tokens: leave the key out, or start from the CLIP or SigLIP "
            "that this E2 was made of."
        )
    others = [entity for entity in column_map.tags if entity not in entities]
    if others:
        logger.warning(
            "The E2 of `model.start_from` has the tag entities %s: the column map's %s are not trained. A start from "
            "the CLIP or SigLIP that this E2 was made of trains all.",
            *(entities, others),
        )


def require_negatives(products: int) -> None:
    """Raise if the contrastive loss has nothing to compare.

    Args:
        products (`int`): in a batch of all processes.

    Raises:
        ValueError: it is one.
    """
    if products < 2:
        raise ValueError(
            "`training.batch_size` is 1, and the contrastive loss compares the products of a batch: give it 2 or "
            "more, as many as memory allows. Accumulated batches are not compared with each other."
        )


def require_tags(train: Dataset, column_map: ColumnMap) -> None:
    """Raise if no product has a tag to learn from, and warn of each entity without any.

    Args:
        train (`Dataset`): the train split.
        column_map (`ColumnMap`): its tags are the model's entities.

    Raises:
        ValueError: all tags of all products are missing.
    """
    tagged = {name: any(column_texts(train, column)) for name, column in column_map.tags.items()}
    empty = [f"{name!r} (column {column_map.tags[name]!r})" for name, found in tagged.items() if not found]
    if not any(tagged.values()):
        raise ValueError(
            f"the train split has no tag of {', '.join(empty)}, and architecture 'e2' learns from tags: fill the "
            "columns, name others in the column map, or train architecture 'clip'."
        )
    if empty:
        logger.warning(
            "The train split has no tag of %s: the selection tokens of such an entity learn nothing.", ", ".join(empty)
        )


def make_processor(
    recipe: E2ModelRecipe, train: Dataset, column_map: ColumnMap, checkpoint: Path | None = None
) -> E2Processor:
    """Return the start checkpoint's processor or, from scratch, one of square photos and a tokenizer of the corpus.

    A run that resumes keeps the processor of its checkpoint: a tokenizer that is trained again may number its words
    in another way than the rows of the model's embeddings.

    Args:
        recipe (`E2ModelRecipe`): where to start; after [`settle_compose_text`].
        train (`Dataset`): the train split, read for the tokenizer.
        column_map (`ColumnMap`): its tags are the model's entities, in the model's order.
        checkpoint (`Path`, *optional*): where the run resumes.
    """
    if checkpoint:
        return E2Processor.from_pretrained(checkpoint / PROCESSOR_FOLDER, trust_remote_code=False)
    options = {"tag_entities": list(column_map.tags), "compose_text": bool(recipe.compose_text)}
    if recipe.start_from:
        check_start(recipe)
        return E2Processor.from_towers(recipe.start_from, **options)
    if not recipe.start_from_vision:
        size = recipe.config.get("vision_config", {}).get("image_size", CLIPVisionConfig.image_size)
        return E2Processor(square_photos(size), _trained_tokenizer(recipe, train, column_map), **options)
    check_towers(recipe)
    if recipe.start_from_text:
        processor = E2Processor.from_towers(recipe.start_from_vision, recipe.start_from_text, **options)
    else:
        images = E2ImageProcessorPil.of(recipe.start_from_vision)
        processor = E2Processor(images, _trained_tokenizer(recipe, train, column_map), **options)
    if recipe.image_size:
        processor.image_processor = square_photos(recipe.image_size, processor.image_processor)
    return processor


def _trained_tokenizer(recipe: E2ModelRecipe, train: Dataset, column_map: ColumnMap) -> PreTrainedTokenizerBase:
    titles = filter(None, column_texts(train, column_map.caption))
    tags = {tag for row in product_tags(train, column_map) for tag in row.values() if tag}
    text_config = recipe.config.get("text_config", {})
    length = text_config.get("max_position_embeddings", CLIPTextConfig.max_position_embeddings)
    return train_tokenizer([*titles, *sorted(tags)], recipe.vocab_size, length)


def make_model(recipe: E2ModelRecipe, processor: E2Processor) -> PreTrainedModel:
    """Return E2, or its towers without selection tokens, from scratch or from a checkpoint, in float32.

    For the architecture `"clip"`, a start from CLIP or SigLIP is that model itself, and a vision encoder with a text
    encoder is an E2 without tag entities: the same towers, projections, pooling and loss. So is one that weighs
    entities. A FILIP is one always.

    Args:
        recipe (`E2ModelRecipe`): architecture, configuration, and where to start.
        processor (`E2Processor`): from [`make_processor`].

    Raises:
        ValueError: if `model.config` has a field that would be ignored, or tokenizer and text tower do not fit.
    """
    config = dict(recipe.config)
    check_fields(recipe)
    if recipe.architecture == "e2":
        config["tag_entities"] = processor.tag_entities
    if recipe.region_weight is not None:
        config["region_loss_weight"] = recipe.region_weight.end
    if recipe.weigh_entities:
        config["weighted_entities"] = processor.tag_entities
    if recipe.start_from:
        model = _from_checkpoint(recipe, config)
    elif recipe.start_from_vision:
        model = _from_towers(recipe, config, processor)
    else:
        model = _from_scratch(recipe, config, processor)
    check_vocabulary(processor.tokenizer, model.config.text_config)
    return model


def check_fields(recipe: E2ModelRecipe) -> None:
    """Raise `ValueError` for a key of `model.config` that is unknown, or that the start checkpoint decides.

    Args:
        recipe (`E2ModelRecipe`): `config`, `architecture` and where to start.
    """
    is_e2 = recipe.architecture == "e2"
    whole = CLIPConfig if recipe.architecture == "clip" and not recipe.start_from_vision else E2Config
    vision, known = (E2VisionConfig, E2_FIELDS) if is_e2 else (CLIPVisionConfig, set())
    known = known | {entry.name for entry in fields(whole)} - {"weighted_entities"}  # `weigh_entities` sets it
    check_keys("model.config", recipe.config, known if is_e2 else known - LOSS_FIELDS)
    for name, section in (("text_config", CLIPTextConfig), ("vision_config", vision)):
        check_keys(f"model.config.{name}", recipe.config.get(name, {}), {entry.name for entry in fields(section)})
    starts = {
        "start_from": TOWER_FIELDS,
        "start_from_vision": ("vision_config",),
        "start_from_text": ("text_config",),
    }
    for start, names in starts.items():
        decided = [name for name in names if name in recipe.config]
        if getattr(recipe, start) and decided:
            raise ValueError(f"`model.config` names {decided}, which `model.{start}` decides: remove them.")


def _from_scratch(recipe: E2ModelRecipe, config: dict[str, Any], processor: E2Processor) -> PreTrainedModel:
    config["text_config"] = _text_fields(config, processor)
    if recipe.architecture == "e2":
        return E2Model(E2Config(**config))
    if recipe.weigh_entities:
        return E2Model(E2Config(**config, tag_entities=[]))
    if recipe.architecture == "filip":
        return FilipModel(FilipConfig(**config))
    projection = {"projection_dim": config.get("projection_dim", CLIPConfig.projection_dim)}
    config["text_config"] |= projection
    config["vision_config"] = config.get("vision_config", {}) | projection
    return CLIPModel(CLIPConfig(**config))


def _text_fields(config: dict[str, Any], processor: E2Processor) -> dict[str, Any]:
    """Fields of a CLIP's text tower from scratch for the tokenizer."""
    tokenizer = processor.tokenizer
    vocabulary = {name: getattr(tokenizer, name) for name in ("bos_token_id", "eos_token_id", "pad_token_id")}
    return vocabulary | {"vocab_size": len(tokenizer)} | config.get("text_config", {})


def _from_towers(recipe: E2ModelRecipe, config: dict[str, Any], processor: E2Processor) -> E2Model:
    text, text_is_new = recipe.start_from_text, not recipe.start_from_text
    if text_is_new:
        text = CLIPTextModel(CLIPTextConfig(**_text_fields(config, processor)))
        config.pop("text_config", None)
    if recipe.architecture == "clip":
        config["tag_entities"] = []
    kind = TOWER_MODELS[recipe.architecture]
    model = kind.from_towers(recipe.start_from_vision, text, dtype=torch.float32, **config)
    if text_is_new:
        model.new_modules = (*model.new_modules, "text_model")
    return model


def _from_checkpoint(recipe: E2ModelRecipe, config: dict[str, Any]) -> PreTrainedModel:
    # float32, whatever the dtype of the checkpoint: half-precision weights lose small steps.
    start, dtype, kind = recipe.start_from, torch.float32, TOWER_MODELS[recipe.architecture]
    found: PreTrainedConfig = read_config(start)
    if recipe.architecture == "clip" and not recipe.weigh_entities:
        return load_whole(start, dtype=dtype, **config)
    if recipe.architecture == "clip":
        config["tag_entities"] = []
    if found.model_type == kind.config_class.model_type:
        return kind.from_pretrained(start, dtype=dtype, use_safetensors=True, **config)
    if found.model_type == "clip":
        return kind.from_clip(load_whole(start, CLIPModel, dtype=dtype), **config)
    return kind.from_towers(start, dtype=dtype, **config)
