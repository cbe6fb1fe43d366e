"""The data that a run starts with."""

from dataclasses import replace

from datasets import DatasetDict

from ..data.checks import check_corpus
from ..data.column_map import ColumnMap, column_map_for
from ..data.loading import GENERATED, load_corpus
from ..data.report import CorpusReport
from ..data.splits import train_and_validation
from .recipe import DataRecipe


def load_data(recipe: DataRecipe) -> tuple[DatasetDict, ColumnMap, CorpusReport]:
    """The checked splits `train` and `validation` of a recipe, the column map, and the check's report.

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
    checked, report = check_corpus(corpus, column_map, recipe.on_bad_image, recipe.on_leak)
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
