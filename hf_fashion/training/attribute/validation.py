"""The evaluation that a training run repeats: search by each attribute among the photos of the validation split."""

from datasets import Dataset
from transformers import BaseImageProcessor, PreTrainedModel

from ...data.attributes.labels import read_labels
from ...data.attributes.protocol import RetrievalLists, draw_protocol
from ...data.column_map import ColumnMap
from ...evaluation.attribute_retrieval import evaluate_attribute_retrieval
from ...metrics.attribute_map import expected_average_precisions


def draw_validation_lists(validation: Dataset, column_map: ColumnMap) -> dict[str, RetrievalLists]:
    """Draw the queries and candidates of all evaluations of a run; before training, so that errors come early.

    Args:
        validation (`Dataset`): the validation split.
        column_map (`ColumnMap`): its attributes.

    Returns:
        `dict[str, RetrievalLists]`: lists by attribute.

    Raises:
        ValueError: if an attribute has too few labelled images, or no query of any has a right candidate.
    """
    try:
        lists = draw_protocol(read_labels(validation, column_map))
    except ValueError as error:
        raise ValueError(f"validation split: {error}") from error
    chances = (expected_average_precisions(found.query_values, found.candidate_values) for found in lists.values())
    if not any(chance.any() for chance in chances):
        raise ValueError(
            f"validation split: no query has a candidate with its value of {', '.join(lists)}, so that MAP is 0 with "
            "every model. Give the split more photos of each value."
        )
    return lists


def validate(
    model: PreTrainedModel,
    processor: BaseImageProcessor,
    validation: Dataset,
    column_map: ColumnMap,
    lists: dict[str, RetrievalLists],
) -> dict[str, float]:
    """Return mean average precision of search by each attribute, and over all queries.

    Args:
        model (`AsenModel` or `IpadModel`): the model, unwrapped.
        processor (`BaseImageProcessor`): prepares the photos.
        validation (`Dataset`): the validation split.
        column_map (`ColumnMap`): its photos and attributes.
        lists (`dict[str, RetrievalLists]`): from [`draw_validation_lists`].

    Returns:
        `dict[str, float]`: metrics of `evaluate_attribute_retrieval`.
    """
    return evaluate_attribute_retrieval(model, processor, validation, column_map, [lists], progress=False)
