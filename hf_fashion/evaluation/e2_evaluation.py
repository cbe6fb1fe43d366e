"""Evaluate E2, CLIP or FILIP: cross-modal recall, tags, linear probe, localisation and re-ranking."""

from typing import Any

from datasets import Dataset
from transformers import PreTrainedModel, ProcessorMixin

from ..data.column_map import ColumnMap
from ..data.sources.source_rows import own_columns
from ..embedding.capabilities import compares_tokens
from ..embedding.changes.combiners import load_combiner
from ..embedding.corpus import embed_images
from ..messages import missing_column
from .box_geometry import require_boxes
from .changes.catalogue_changes import catalogue_queries, evaluate_changes
from .changes.fashion_iq import evaluate_fashion_iq
from .cross_modal import cross_modal_metrics
from .cross_modal_candidates import embed_candidates
from .linear_probe import evaluate_linear_probe, require_sklearn
from .localisation import evaluate_localisation, require_selections
from .options import E2Options
from .reranking import compare_rerankers, load_rerankers
from .tags import evaluate_tags, require_tags


def evaluate_e2(
    model: PreTrainedModel,
    processor: ProcessorMixin,
    dataset: Dataset,
    column_map: ColumnMap,
    options: E2Options,
    train: Dataset | None = None,
) -> dict[str, Any]:
    """Evaluate E2, CLIP or FILIP on a checked split; photos and descriptions are embedded once.

    Args:
        model (`PreTrainedModel`): E2, CLIP or FILIP.
        processor (`ProcessorMixin`): its processor.
        dataset (`Dataset`): the split.
        column_map (`ColumnMap`): names the photo, the caption and the tags.
        options (`E2Options`): what is measured.
        train (`Dataset`, *optional*): the train split, for the linear probe.

    Returns:
        `dict`: `cross_modal`, `entities`, and where asked for `tags`, `linear_probe`, `localisation`, `changes`,
            `reranking`; of Fashion-IQ only `fashion_iq`.

    Raises:
        ImportError: a library is missing that an evaluation needs.
        ValueError: the split lacks a column or the answers that an evaluation needs, or the model the vectors; or the
            combiner is none, or a re-ranker, or of another model.
    """
    # All that can be refused is refused before a photo is embedded.
    check_options(model, dataset, column_map, options)
    queries = catalogue_queries(dataset, column_map) if options.changes else None
    rerankers = load_rerankers(options.rerankers, model)
    combiner = load_combiner(options.combiner) if options.combiner else None
    common = (model, processor, dataset, column_map)
    if options.fashion_iq:
        asked = (options.fashion_iq, options.split, options.batch_size)
        return {"fashion_iq": evaluate_fashion_iq(*common, *asked, combiner=combiner)}
    images = embed_images(model, processor, dataset, column_map.image, options.batch_size)
    embedded = embed_candidates(*common, options.pairing, images["image_embeds"], options.batch_size)
    results: dict[str, Any] = {
        "cross_modal": cross_modal_metrics(
            embedded, dataset, column_map, options.protocol, options.group_column, options.seed
        )
    }
    if options.tags:
        results["tags"] = evaluate_tags(*common, images=images)
    if options.linear_probe:
        results["linear_probe"] = evaluate_linear_probe(
            model, processor, train, dataset, column_map, images=images, batch_size=options.batch_size
        )
    if options.localisation:
        results["localisation"] = evaluate_localisation(*common, images=images)
    if options.changes:
        results["changes"] = evaluate_changes(*common, images=images, combiner=combiner, queries=queries)
    if options.rerankers:
        searches = {"text_to_image": [embedded.text_to_image()]}
        results["reranking"] = compare_rerankers(rerankers, searches, options.num_candidates)
    return results | {"entities": list(column_map.tags)}


def check_options(model: PreTrainedModel, dataset: Dataset, column_map: ColumnMap, options: E2Options) -> None:
    """Raise if a model or a split cannot be measured as it is asked.

    Args:
        model (`PreTrainedModel`): E2, CLIP or FILIP.
        dataset (`Dataset`): the split.
        column_map (`ColumnMap`): names the photo, the caption and the tags.
        options (`E2Options`): what is measured.

    Raises:
        ImportError: a library is missing.
        ValueError: a column, the tags or the true boxes are missing, or the model has not the vectors or selections.
    """
    asked_of_vectors = [name for name in ("rerankers", "changes", "fashion_iq") if getattr(options, name)]
    if asked_of_vectors and compares_tokens(model.config):
        raise ValueError(
            f"`{asked_of_vectors[0]}` needs one vector of each photo, and a FILIP has one of every patch: leave it "
            "out, or evaluate an E2 or a CLIP"
        )
    group = options.group_column
    if group is not None and group not in dataset.column_names:
        raise ValueError(missing_column(group, "group_column", own_columns(dataset)))
    if options.tags or options.linear_probe:
        require_tags(column_map)
    if options.linear_probe:
        require_sklearn()
    if options.localisation:
        require_selections(model)
        require_boxes(dataset)
