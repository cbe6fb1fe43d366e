"""Evaluate an attribute-specific model: search by attribute, attention and re-ranking."""

import logging
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
from .box_geometry import require_boxes
from .options import AttributeOptions
from .reranking import compare_rerankers, load_rerankers


logger = logging.getLogger(__name__)


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
        ValueError: labels or published lists do not fit, the column map lacks an attribute or has none of the model,
            there are no true boxes, or a re-ranker is none, or of another model.
    """
    # All that can be refused is refused before a photo is embedded.
    attributes = list(options.attributes or attributes_of_both(model, column_map))
    rerankers = load_rerankers(options.rerankers, model)
    if options.pointing:
        require_boxes(dataset)
    protocols = make_protocols(dataset, column_map, attributes, options)
    column_map = with_attributes(column_map, attributes)
    searches = attribute_searches(model, image_processor, dataset, column_map, protocols, options.batch_size)
    results = {"seed": options.seed, "attributes": attributes, "retrieval": retrieval_metrics(searches)}
    if options.pointing:
        results["pointing"] = evaluate_pointing(
            model, image_processor, dataset, column_map, batch_size=options.batch_size
        )
    if options.rerankers:
        results["reranking"] = compare_rerankers(rerankers, searches, options.num_candidates)
    return results


def attributes_of_both(model: PreTrainedModel, column_map: ColumnMap) -> list[str]:
    """Return the model's attributes that the column map names too; others are logged.

    Args:
        model (`PreTrainedModel`): has `config.attribute_names`.
        column_map (`ColumnMap`): names attributes of a corpus.

    Raises:
        ValueError: they have none in common.
    """
    known, mapped = list(model.config.attribute_names), list(column_map.attributes)
    common = [name for name in known if name in column_map.attributes]
    if not common:
        raise ValueError(
            f"the model's attributes are {known}, and the column map names {mapped or 'none'}: name a column for each "
            "of the model's `attributes` that the corpus has"
        )
    if len(common) < len(known):
        left_out = ", ".join(name for name in known if name not in common)
        logger.warning("not measured, as the column map names no column for them: %s", left_out)
    return common


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
