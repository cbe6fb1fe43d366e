"""What a run starts with: corpus, processor, model."""

from datasets import DatasetDict
from transformers import AutoTokenizer, CLIPConfig, CLIPModel, PreTrainedModel
from transformers.models.auto.image_processing_auto import AutoImageProcessor

from ..data.checks import check_corpus
from ..data.column_map import ColumnMap, find_for
from ..data.loading import load_corpus
from ..data.products import product_tags
from ..data.report import CorpusReport
from ..data.splits import train_and_validation
from ..data.tokenizer import check_vocabulary, train_tokenizer
from ..data.values import column_texts
from ..models.e2.configuration_e2 import E2Config
from ..models.e2.image_processing_e2 import E2ImageProcessorPil
from ..models.e2.modeling_e2 import E2Model
from ..models.e2.processing_e2 import E2Processor
from .recipe import DataRecipe, ModelRecipe


def load_data(recipe: DataRecipe) -> tuple[DatasetDict, ColumnMap, CorpusReport]:
    """The checked splits `train` and `validation` of a recipe, the column map, and the check's report.

    Raises:
        ValueError: with everything that is wrong with the corpus, before any work is done on it.
    """
    column_map = _column_map(recipe)
    corpus = load_corpus(
        recipe.corpus,
        image_column=column_map.image,
        require_files=recipe.on_bad_image == "error",  # else the check counts and skips them
        generated=recipe.generated or None,
    )
    corpus = train_and_validation(
        corpus, column_map, recipe.train_split, recipe.validation_split, recipe.validation_fraction
    )
    checked, report = check_corpus(corpus, column_map, recipe.on_bad_image, recipe.on_leak)
    return checked, column_map, report


def make_processor(recipe: ModelRecipe, corpus: DatasetDict, column_map: ColumnMap) -> E2Processor:
    """The start checkpoint's processor; from scratch, the whole photo as a square and a tokenizer of the corpus."""
    entities = list(column_map.tags)
    if recipe.start_from:
        tokenizer = AutoTokenizer.from_pretrained(recipe.start_from)
        images = AutoImageProcessor.from_pretrained(recipe.start_from)
        images = E2ImageProcessorPil(**{k: v for k, v in images.to_dict().items() if not k.endswith("_type")})
    else:
        size = recipe.config.get("vision_config", {}).get("image_size", 224)
        images = E2ImageProcessorPil(size={"height": size, "width": size}, do_center_crop=False)
        train = corpus["train"]
        texts = filter(None, column_texts(train, column_map.caption))
        tags = {tag for row in product_tags(train, column_map) for tag in row.values() if tag}
        length = recipe.config.get("text_config", {}).get("max_position_embeddings", 77)
        tokenizer = train_tokenizer([*texts, *sorted(tags)], recipe.vocab_size, length)
    return E2Processor(images, tokenizer, tag_entities=entities, compose_text=recipe.compose_text)


def make_model(recipe: ModelRecipe, processor: E2Processor) -> PreTrainedModel:
    """E2, or the CLIP beside it, from scratch or from a checkpoint.

    Raises:
        ValueError: if tokenizer and text tower do not fit each other.
    """
    config = dict(recipe.config)
    if recipe.architecture == "e2":
        config.setdefault("tag_entities", processor.tag_entities)
    if recipe.start_from:
        model = _from_checkpoint(recipe, config)
    else:
        tokenizer = processor.tokenizer
        ids = {
            "vocab_size": len(tokenizer),
            "bos_token_id": tokenizer.bos_token_id,
            "eos_token_id": tokenizer.eos_token_id,
            "pad_token_id": tokenizer.pad_token_id,
        }
        config["text_config"] = ids | config.get("text_config", {})
        if recipe.architecture == "e2":
            model = E2Model(E2Config(**config))
        else:
            projection = {"projection_dim": config.get("projection_dim", 512)}
            config["text_config"] |= projection
            config["vision_config"] = config.get("vision_config", {}) | projection
            model = CLIPModel(CLIPConfig(**config))
    check_vocabulary(processor.tokenizer, model.config.text_config)
    return model


def _from_checkpoint(recipe: ModelRecipe, config: dict) -> PreTrainedModel:
    from transformers import AutoConfig

    if recipe.architecture == "clip":
        return CLIPModel.from_pretrained(recipe.start_from)
    if AutoConfig.from_pretrained(recipe.start_from).model_type == "e2":
        return E2Model.from_pretrained(recipe.start_from)
    towers = ("text_config", "vision_config", "projection_dim")  # the checkpoint's own
    return E2Model.from_clip(recipe.start_from, **{key: value for key, value in config.items() if key not in towers})


def _column_map(recipe: DataRecipe) -> ColumnMap:
    if recipe.column_map is None:
        column_map = find_for(recipe.corpus)
        if column_map is None:
            raise ValueError(
                f"`data.column_map`: none is shipped for {recipe.corpus!r}; name one, or write a YAML file that says "
                "which columns hold image, caption and tags."
            )
        return column_map
    if recipe.column_map.endswith((".yaml", ".yml")):
        return ColumnMap.from_yaml(recipe.column_map)
    return ColumnMap.shipped(recipe.column_map)
