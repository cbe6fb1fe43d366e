"""Evaluate an attribute-specific model: search by attribute, attention and re-ranking."""

from collections.abc import Mapping, Sequence
from typing import Any

from datasets import Dataset
from transformers import BaseImageProcessor, PreTrainedModel

from ..data.attributes.labels import read_labels
from ..data.attributes.protocol import RetrievalLists, draw_folds, draw_protocol, read_protocol
from ..data.attributes.vocabulary import build_vocabulary, with_attributes
from ..data.column_map import ColumnMap
from .attribute_pointing import evaluate_pointing
from .attribute_retrieval import attribute_searches, retrieval_metrics
from .options import AttributeOptions
from .reranking import compare_rerankers


def evaluate_attribute_model(
    model: PreTrainedModel,
    image_processor: BaseImageProcessor,
    dataset: Dataset,
    column_map: ColumnMap,
    options: AttributeOptions,
) -> dict[str, Any]:
    """Evaluate an attribute-specific model on a checked split.

    Args:
        model (`PreTrainedModel`): has `config.attribute_names`.
        image_processor (`BaseImageProcessor`): its image processor.
        dataset (`Dataset`): the split.
        column_map (`ColumnMap`): names the photo and the attributes.
        options (`AttributeOptions`): what is measured.

    Returns:
        `dict`: `seed`, `attributes`, `retrieval`, and where asked for `pointing`, `reranking`.

    Raises:
        ValueError: labels or published lists do not fit, or the column map lacks an attribute.
    """
    attributes = list(
        options.attributes or [name for name in model.config.attribute_names if name in column_map.attributes]
    )
    protocols = make_protocols(dataset, column_map, attributes, options)
    column_map = with_attributes(column_map, attributes)
    searches = attribute_searches(model, image_processor, dataset, column_map, protocols, options.batch_size)
    results = {"seed": options.seed, "attributes": attributes, "retrieval": retrieval_metrics(searches)}
    if options.pointing:
        results["pointing"] = evaluate_pointing(
            model, image_processor, dataset, column_map, batch_size=options.batch_size
        )
    if options.rerankers:
        results["reranking"] = compare_rerankers(options.rerankers, searches, options.num_candidates, model)
    return results


def make_protocols(
    dataset: Dataset, column_map: ColumnMap, attributes: Sequence[str], options: AttributeOptions
) -> list[Mapping[str, RetrievalLists]]:
    """Return queries and candidates of the attributes: published lists, all folds, or one draw.

    Args:
        dataset (`Dataset`): the split.
        column_map (`ColumnMap`): names all attributes of the corpus.
        attributes (`Sequence[str]`): those to search by.
        options (`AttributeOptions`): `queries`, `candidates`, `all_folds` and `seed` are read.

    Raises:
        ValueError: labels or published lists do not fit, or the column map lacks an attribute.
    """
    if options.queries:
        # The files count the attributes of the whole map.
        vocabulary = build_vocabulary(dataset, column_map)
        lists = read_protocol(options.queries, options.candidates, vocabulary, len(dataset))
        return [{name: lists[name] for name in attributes if name in lists}]
    labels = read_labels(dataset, with_attributes(column_map, attributes))
    return draw_folds(labels, options.seed) if options.all_folds else [draw_protocol(labels, options.seed)]
