"""The processor and the model that a run of E2 or CLIP starts with."""

from dataclasses import fields
from pathlib import Path
from typing import Any

import torch
from datasets import Dataset
from transformers import (
    AutoConfig,
    AutoTokenizer,
    CLIPConfig,
    CLIPModel,
    CLIPTextConfig,
    CLIPVisionConfig,
    PreTrainedModel,
)
from transformers.models.auto.image_processing_auto import AutoImageProcessor

from ...data.column_map import ColumnMap
from ...data.products import product_tags
from ...data.tokenizer import check_vocabulary, train_tokenizer
from ...data.values import column_texts
from ...embedding.whole_model import load_whole
from ...models.e2.configuration_e2 import E2Config, E2VisionConfig
from ...models.e2.image_processing_e2 import E2ImageProcessorPil
from ...models.e2.modeling_e2 import E2Model
from ...models.e2.processing_e2 import E2Processor
from ..checkpoints import PROCESSOR_FOLDER
from ..recipe_file import check_keys
from .recipe import E2ModelRecipe


# Fields of E2's vision tower that the whole configuration accepts too.
E2_FIELDS = {entry.name for entry in fields(E2VisionConfig)} - {entry.name for entry in fields(CLIPVisionConfig)}
TOWER_FIELDS = ("text_config", "vision_config", "projection_dim")


def choose_entities(recipe: E2ModelRecipe, column_map: ColumnMap) -> list[str]:
    """Return the tag entities in the model's order: of a continued E2, of the recipe, or all of the column map.

    Args:
        recipe (`E2ModelRecipe`): where to start.
        column_map (`ColumnMap`): its tags.
    """
    if recipe.start_from and recipe.architecture == "e2":
        config = AutoConfig.from_pretrained(recipe.start_from, trust_remote_code=False)
        if config.model_type == "e2":
            return list(config.tag_entities)
    return list(recipe.config.get("tag_entities", column_map.tags))


def check_start(recipe: E2ModelRecipe) -> None:
    """Raise if the start checkpoint is of a model that a run cannot start from.

    Args:
        recipe (`E2ModelRecipe`): `start_from`, `architecture` and `lora_r`.

    Raises:
        ValueError: the checkpoint is neither a CLIP nor, for the architecture `"e2"`, an E2; or it is a CLIP, and an
            adapter of an E2 is to be trained.
    """
    found = AutoConfig.from_pretrained(recipe.start_from, trust_remote_code=False).model_type
    known = ("e2", "clip") if recipe.architecture == "e2" else ("clip",)
    if found == "clip" and recipe.architecture == "e2" and recipe.lora_r:
        raise ValueError(
            f"`model.start_from` {recipe.start_from!r} is a CLIP, and an adapter of an E2 is loaded on an E2. Save "
            "one with its processor (`E2Model.from_clip(...).save_pretrained(FOLDER)`) and start from FOLDER."
        )
    if found not in known:
        raise ValueError(
            f"`model.start_from` {recipe.start_from!r} is a model of type {found!r}: architecture "
            f"{recipe.architecture!r} starts from one of {', '.join(known)}."
        )


def make_processor(
    recipe: E2ModelRecipe, train: Dataset, column_map: ColumnMap, checkpoint: Path | None = None
) -> E2Processor:
    """Return the start checkpoint's processor or, from scratch, one of square photos and a tokenizer of the corpus.

    A run that resumes keeps the processor of its checkpoint: a tokenizer that is trained again may number its words
    in another way than the rows of the model's embeddings.

    Args:
        recipe (`E2ModelRecipe`): where to start.
        train (`Dataset`): the train split, read for the tokenizer.
        column_map (`ColumnMap`): its tags are the model's entities, in the model's order.
        checkpoint (`Path`, *optional*): where the run resumes.
    """
    if checkpoint:
        return E2Processor.from_pretrained(checkpoint / PROCESSOR_FOLDER, trust_remote_code=False)
    if recipe.start_from:
        check_start(recipe)
        tokenizer = AutoTokenizer.from_pretrained(recipe.start_from, trust_remote_code=False)
        longest = AutoConfig.from_pretrained(
            recipe.start_from, trust_remote_code=False
        ).text_config.max_position_embeddings
        tokenizer.model_max_length = min(tokenizer.model_max_length, longest)  # some checkpoints state none
        images = AutoImageProcessor.from_pretrained(recipe.start_from, trust_remote_code=False)
        images = E2ImageProcessorPil(**{k: v for k, v in images.to_dict().items() if not k.endswith("_type")})
    else:
        size = recipe.config.get("vision_config", {}).get("image_size", CLIPVisionConfig.image_size)
        images = E2ImageProcessorPil(size={"height": size, "width": size}, do_center_crop=False)
        titles = filter(None, column_texts(train, column_map.caption))
        tags = {tag for row in product_tags(train, column_map) for tag in row.values() if tag}
        text_config = recipe.config.get("text_config", {})
        length = text_config.get("max_position_embeddings", CLIPTextConfig.max_position_embeddings)
        tokenizer = train_tokenizer([*titles, *sorted(tags)], recipe.vocab_size, length)
    return E2Processor(images, tokenizer, tag_entities=list(column_map.tags), compose_text=recipe.compose_text)


def make_model(recipe: E2ModelRecipe, processor: E2Processor) -> PreTrainedModel:
    """Return E2 or a CLIP of the same size, from scratch or from a checkpoint, in float32.

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
    model = _from_checkpoint(recipe, config) if recipe.start_from else _from_scratch(recipe, config, processor)
    check_vocabulary(processor.tokenizer, model.config.text_config)
    return model


def check_fields(recipe: E2ModelRecipe) -> None:
    """Raise `ValueError` for a key of `model.config` that is unknown, or that the start checkpoint decides.

    Args:
        recipe (`E2ModelRecipe`): `config`, `architecture` and `start_from`.
    """
    whole, vision = (E2Config, E2VisionConfig) if recipe.architecture == "e2" else (CLIPConfig, CLIPVisionConfig)
    extra = E2_FIELDS if recipe.architecture == "e2" else set()
    check_keys("model.config", recipe.config, {entry.name for entry in fields(whole)} | extra)
    for name, section in (("text_config", CLIPTextConfig), ("vision_config", vision)):
        check_keys(f"model.config.{name}", recipe.config.get(name, {}), {entry.name for entry in fields(section)})
    decided = [name for name in TOWER_FIELDS if name in recipe.config]
    if recipe.start_from and decided:
        raise ValueError(f"`model.config` names {decided}, which `model.start_from` decides: remove them.")


def _from_scratch(recipe: E2ModelRecipe, config: dict[str, Any], processor: E2Processor) -> PreTrainedModel:
    tokenizer = processor.tokenizer
    vocabulary = {name: getattr(tokenizer, name) for name in ("bos_token_id", "eos_token_id", "pad_token_id")}
    config["text_config"] = vocabulary | {"vocab_size": len(tokenizer)} | config.get("text_config", {})
    if recipe.architecture == "e2":
        return E2Model(E2Config(**config))
    projection = {"projection_dim": config.get("projection_dim", CLIPConfig.projection_dim)}
    config["text_config"] |= projection
    config["vision_config"] = config.get("vision_config", {}) | projection
    return CLIPModel(CLIPConfig(**config))


def _from_checkpoint(recipe: E2ModelRecipe, config: dict[str, Any]) -> PreTrainedModel:
    # float32, whatever the dtype of the checkpoint: half-precision weights lose small steps.
    start, dtype = recipe.start_from, torch.float32
    if recipe.architecture == "clip":
        return load_whole(start, CLIPModel, dtype=dtype, **config)
    if AutoConfig.from_pretrained(start, trust_remote_code=False).model_type == "e2":
        return E2Model.from_pretrained(start, dtype=dtype, **config)
    return E2Model.from_clip(load_whole(start, CLIPModel, dtype=dtype), **config)
