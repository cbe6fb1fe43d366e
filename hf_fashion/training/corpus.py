"""The data that a run starts with: checked splits, column map, resized photos."""

from dataclasses import replace
from pathlib import Path

from datasets import Dataset, DatasetDict
from transformers import BaseImageProcessor

from ..data.checks import check_corpus
from ..data.column_map import ColumnMap, column_map_for
from ..data.corpus_report import CorpusReport
from ..data.leaks import find_title_leaks
from ..data.loading import GENERATED, load_corpus
from ..data.photo_cache import PhotoCache
from ..data.splits import split_by_product, train_and_validation
from .recipe import DataRecipe


# Differs from the seed of the validation split, with which the same products would come first in both draws.
HELD_OUT_SEED = 1


def load_data(
    recipe: DataRecipe, require_caption: bool = True, held_out: bool = False
) -> tuple[DatasetDict, ColumnMap, CorpusReport]:
    """Load and check the splits `train` and `validation` of a recipe; return them, the column map and the report.

    Args:
        recipe (`DataRecipe`): what to read, and how strict the check is.
        require_caption (`bool`, *optional*, defaults to `True`): whether every row must have a caption.
        held_out (`bool`, *optional*, defaults to `False`): whether `train` is the part of the products that
            `held_out_fraction` keeps from embedding models, and not the rest.

    Raises:
        ValueError: if something is wrong with the corpus; the message names all of it.
    """
    column_map = column_map_for(recipe.column_map, recipe.corpus)
    corpus = load_corpus(
        recipe.corpus,
        image_column=column_map.image,
        id_column=column_map.product_id,
        require_files=False,  # the check finds missing photos together with unreadable ones
        generated=recipe.generated if recipe.corpus == GENERATED else None,
    )
    corpus = train_and_validation(
        corpus, column_map, recipe.train_split, recipe.validation_split, recipe.validation_fraction
    )
    checked, report = check_corpus(corpus, column_map, recipe.on_bad_image, recipe.on_leak, require_caption)
    if recipe.held_out_fraction is not None:
        parts = split_by_product(checked["train"], column_map, recipe.held_out_fraction, HELD_OUT_SEED)
        number, whole = len(parts["validation"]), len(checked["train"])
        leaks = find_title_leaks(parts, column_map.caption) if column_map.caption else []
        shared = sum(len(leak.rows) for leak in leaks)
        also = f", {shared:,} of them with a title that others have too" if shared else ""
        use = "this run trains on them" if held_out else "a re-ranker or combiner may train on them, this run does not"
        setting = f"data.held_out_fraction: {recipe.held_out_fraction}, null for none"
        report = replace(report, held_out=f"{number:,} of the {whole:,} rows of train{also}; {use} ({setting})")
        checked["train"] = parts["validation" if held_out else "train"]
    return checked, column_map, report


def cache_photos(
    recipe: DataRecipe, split: Dataset, column_map: ColumnMap, image_processor: BaseImageProcessor
) -> PhotoCache:
    """Return the resized photos of a split, which are computed once and kept in the recipe's cache folder.

    Args:
        recipe (`DataRecipe`): `cache_folder`.
        split (`Dataset`): rows with photos.
        column_map (`ColumnMap`): the column of the photos.
        image_processor (`BaseImageProcessor`): resizes and crops.
    """
    return PhotoCache.build(split, column_map.image, image_processor, Path(recipe.cache_folder).expanduser())


def with_entities(column_map: ColumnMap, entities: list[str]) -> ColumnMap:
    """Return the column map with only these tag entities, in this order.

    Args:
        column_map (`ColumnMap`): a map with tags.
        entities (`list[str]`): entities of a model.

    Raises:
        ValueError: if the map has no column for one of them.
    """
    missing = [entity for entity in entities if entity not in column_map.tags]
    if missing:
        raise ValueError(
            f"The model has the tag entities {entities}, but the column map names no column for {missing}; it "
            f"has tags for {list(column_map.tags)}."
        )
    return replace(column_map, tags={entity: column_map.tags[entity] for entity in entities})
