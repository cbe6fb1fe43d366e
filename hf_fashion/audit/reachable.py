"""What can be reached with a split: ceilings, chance levels and standard errors of the metrics, without any model."""

from collections.abc import Sequence
from typing import Any

import torch
from datasets import Dataset
from torch import Tensor

from ..data.attributes.labels import read_labels
from ..data.attributes.protocol import draw_protocol
from ..data.attributes.vocabulary import with_attributes
from ..data.column_map import ColumnMap
from ..data.values import caption_texts, column_texts, title_as_read
from ..embedding.corpus import equality_ids
from ..evaluation.cross_modal_candidates import choose_candidates
from ..evaluation.options import PAIRINGS
from ..evaluation.tags import PRECISION_K, tag_labels
from ..metrics import expected_average_precisions, precision_ceiling, recall_ceiling
from ..metrics.attribute_map import expected_average_precisions_of_counts
from ..metrics.chance import largest_standard_error, precision_chance, recall_chance
from ..metrics.ranking import matches_per_query
from .wording import title_key


DIRECTIONS = ("image_to_text", "text_to_image")


def reachable_metrics(dataset: Dataset, column_map: ColumnMap, photo_ids: Tensor) -> dict[str, Any]:
    """Return ceiling, chance and the largest standard error of each metric of `hf-fashion evaluate` on a split.

    A perfect model knows every answer, but gives equal photos equal embeddings, and equal titles too. The
    `wording_ceiling` is that of a model to which titles of the same words ([`title_key`]) are equal.

    Args:
        dataset (`Dataset`): N rows, whose photos can be read.
        column_map (`ColumnMap`): names caption, tags and attributes.
        photo_ids (`torch.Tensor` of shape `(N,)`): int64; equal where the photos of rows are the same file.

    Returns:
        `dict`: `cross_modal`, pairing -> its metrics; `tags` and `attributes`, name -> its metrics; an attribute that
        cannot be evaluated has a `problem` in place of them.
    """
    titles = caption_texts(dataset, column_map.caption) if column_map.caption else []
    tags = {entity: column_texts(dataset, column) for entity, column in column_map.tags.items()}
    return {
        "cross_modal": {pairing: _cross_modal(titles, pairing, photo_ids) for pairing in PAIRINGS}
        if any(titles)
        else {},
        "tags": {entity: _tags(values, entity, photo_ids) for entity, values in tags.items() if any(values)},
        "attributes": {name: _attribute(dataset, column_map, name) for name in column_map.attributes},
    }


def _cross_modal(titles: Sequence[str | None], pairing: str, photo_ids: Tensor) -> dict[str, float]:
    chosen = choose_candidates(titles, pairing)
    read = [titles[row] for row in chosen.text_rows.tolist()]
    texts = equality_ids(map(title_as_read, read))
    wordings = equality_ids(map(title_key, read))
    images = photo_ids[chosen.image_rows]
    metrics: dict[str, float] = {"num_without_title": sum(title is None for title in titles)}
    for name, inputs in (("recall_ceiling", texts), ("wording_ceiling", wordings)):
        sides = [(chosen.image_labels, images), (chosen.text_labels, inputs)]
        for direction, (query, gallery) in zip(DIRECTIONS, (sides, sides[::-1]), strict=True):
            found = recall_ceiling(query[0], gallery[0], query_inputs=query[1], gallery_inputs=gallery[1])
            metrics |= {f"{direction}_{name}@{key.split('@')[1]}": value for key, value in found.items()}
    labels = (chosen.image_labels, chosen.text_labels)
    for direction, (query, gallery) in zip(DIRECTIONS, (labels, labels[::-1]), strict=True):
        found = {"num_queries": len(query), "num_candidates": len(gallery)} | recall_chance(query, gallery)
        found["largest_standard_error"] = largest_standard_error(len(query))
        metrics |= {f"{direction}_{name}": value for name, value in found.items()}
    return metrics


def _tags(values: list[str | None], entity: str, photo_ids: Tensor) -> dict[str, float]:
    rows, tags, vocabulary = tag_labels(values, entity)
    numbers = torch.arange(len(vocabulary))
    naming = recall_ceiling(tags, numbers, ks=(1,), query_inputs=photo_ids[rows])["recall_ceiling@1"]
    metrics = {
        "num_images": len(rows),
        "num_tags": len(vocabulary),
        "accuracy_ceiling": naming,
        "majority_rate": tags.bincount().max().item() / len(rows),
        "accuracy_largest_standard_error": largest_standard_error(len(rows)),
        "map_chance": expected_average_precisions(numbers, tags).mean().item(),
        "search_largest_standard_error": largest_standard_error(len(vocabulary)),
    }
    search = (numbers, tags, (PRECISION_K,))
    return metrics | precision_ceiling(*search) | precision_chance(*search)


def _attribute(dataset: Dataset, column_map: ColumnMap, name: str) -> dict[str, Any]:
    try:
        (lists,) = draw_protocol(read_labels(dataset, with_attributes(column_map, [name]))).values()
    except ValueError as error:
        return {"problem": str(error)}
    queries, candidates = lists.query_values, lists.candidate_values
    matches = candidates.sum(dim=0)[queries] if candidates.ndim == 2 else matches_per_query(queries, candidates)
    return {
        "num_queries": len(queries),
        "num_candidates": len(candidates),
        "num_without_match": int((matches == 0).sum()),
        "map_ceiling": (matches > 0).double().mean().item(),
        "map_chance": expected_average_precisions_of_counts(matches, len(candidates)).mean().item(),
        "largest_standard_error": largest_standard_error(len(queries)),
    }
