"""The data that a run starts with."""

from dataclasses import replace

from datasets import DatasetDict

from ..data.checks import check_corpus
from ..data.column_map import ColumnMap, column_map_for
from ..data.corpus_report import CorpusReport
from ..data.loading import GENERATED, load_corpus
from ..data.splits import split_by_product, train_and_validation
from .recipe import DataRecipe


# Not that of the validation split: the same products would stand first in both draws.
HELD_OUT_SEED = 1


def load_data(
    recipe: DataRecipe, require_caption: bool = True, held_out: bool = False
) -> tuple[DatasetDict, ColumnMap, CorpusReport]:
    """The checked splits `train` and `validation` of a recipe, the column map, and the check's report.

    Args:
        recipe (`DataRecipe`): what to read, and how to judge it.
        require_caption (`bool`): whether every row must have a caption.
        held_out (`bool`): whether `train` is to be the part of the products that `held_out_fraction` keeps from
            embedding models, instead of the rest.

    Raises:
        ValueError: with everything that is wrong with the corpus, before any work is done on it.
    """
    column_map = column_map_for(recipe.column_map, recipe.corpus)
    corpus = load_corpus(
        recipe.corpus,
        image_column=column_map.image,
        require_files=recipe.on_bad_image == "error",  # else the check counts and skips them
        generated=recipe.generated if recipe.corpus == GENERATED else None,
    )
    corpus = train_and_validation(
        corpus, column_map, recipe.train_split, recipe.validation_split, recipe.validation_fraction
    )
    checked, report = check_corpus(corpus, column_map, recipe.on_bad_image, recipe.on_leak, require_caption)
    if recipe.held_out_fraction is not None:
        parts = split_by_product(checked["train"], column_map, recipe.held_out_fraction, HELD_OUT_SEED)
        checked["train"] = parts["validation" if held_out else "train"]
    return checked, column_map, report


def with_entities(column_map: ColumnMap, entities: list[str]) -> ColumnMap:
    """The map with these tag entities alone, in this order.

    Raises:
        ValueError: if the map has no column for one of them.
    """
    missing = [entity for entity in entities if entity not in column_map.tags]
    if missing:
        raise ValueError(
            f"The model has the tag entities {entities}; the column map names no column for {missing}, it has tags "
            f"for {list(column_map.tags)}."
        )
    return replace(column_map, tags={entity: column_map.tags[entity] for entity in entities})
