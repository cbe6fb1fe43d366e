"""Measure attribute-specific search on one split: MAP of each attribute and overall, next to chance."""

from collections.abc import Mapping, Sequence

import torch
from datasets import Dataset
from torch import Tensor, nn
from transformers import BaseImageProcessor

from ..data.attributes.labels import read_labels
from ..data.attributes.protocol import RetrievalLists, draw_protocol
from ..data.column_map import ColumnMap
from ..embedding.attribute_corpus import embed_attributes, model_attribute_ids
from ..metrics import attribute_map
from ..metrics.attribute_map import average_precisions_of_hits, expected_average_precisions_of_counts
from .labelled_search import LabelledSearch


PRIMARY_METRIC = "map"


def evaluate_attribute_retrieval(
    model: nn.Module,
    image_processor: BaseImageProcessor,
    dataset: Dataset,
    column_map: ColumnMap,
    protocols: Sequence[Mapping[str, RetrievalLists]] | None = None,
    batch_size: int = 64,
    num_workers: int = 0,
    progress: bool = True,
) -> dict[str, float]:
    """Return MAP of searching the split by every attribute; the primary metric is `map`, the mean over all queries.

    Args:
        model (`nn.Module`): has `get_attribute_features` (see `embed_attributes`) and `config.attribute_names`.
        image_processor (`BaseImageProcessor`): its image processor.
        dataset (`Dataset`): N rows.
        column_map (`ColumnMap`): names the photo, and the labels of the attributes where the protocol is drawn.
        protocols (`Sequence[Mapping[str, RetrievalLists]]`, *optional*): attribute -> queries and candidates, from
            `draw_protocol` or `read_protocol`. The queries of several, such as the folds of one division, are taken
            together. Default: `draw_protocol` of the split's own labels with seed 0. The model must have the
            attributes, but not their values.
        batch_size (`int`, *optional*, defaults to 64): photos in a forward pass.
        num_workers (`int`, *optional*, defaults to 0): additional processes that decode photos.
        progress (`bool`, *optional*, defaults to `True`): show a progress bar.

    Returns:
        `dict`: `map`, `mean_attribute_map` and `{attribute}_map`, each with the expectation of a random order
        (`map_chance`, ...); `num_queries` and `{attribute}_num_queries`, `{attribute}_num_candidates` (of the first
        protocol); and `num_without_match`, queries without a right candidate, which count as 0.

    Raises:
        ValueError: the model lacks an attribute, or labels or protocols do not fit.
    """
    if protocols is None:
        protocols = [draw_protocol(read_labels(dataset, column_map))]
    return retrieval_metrics(
        attribute_searches(model, image_processor, dataset, column_map, protocols, batch_size, num_workers, progress)
    )


def retrieval_metrics(searches: Mapping[str, Sequence[LabelledSearch]]) -> dict[str, float]:
    """Return the metrics of `evaluate_attribute_retrieval` for searches that are already embedded.

    Args:
        searches (`Mapping[str, Sequence[LabelledSearch]]`): attribute -> its searches, from `attribute_searches`.

    Returns:
        `dict`: as `evaluate_attribute_retrieval`.
    """
    found: dict[str, Tensor] = {}
    chance: dict[str, Tensor] = {}
    for name, parts in searches.items():
        pairs = [_found_and_expected(search) for search in parts]
        found[name], chance[name] = (torch.cat(values) for values in zip(*pairs, strict=True))
    counts = {"num_queries": sum(map(len, chance.values()))}
    counts["num_without_match"] = sum(int((values == 0).sum()) for values in chance.values())
    for name, parts in searches.items():
        counts[f"{name}_num_queries"] = len(chance[name])
        counts[f"{name}_num_candidates"] = len(parts[0].gallery_labels)
    return attribute_map(found) | attribute_map(chance, "map_chance") | counts


def attribute_searches(
    model: nn.Module,
    image_processor: BaseImageProcessor,
    dataset: Dataset,
    column_map: ColumnMap,
    protocols: Sequence[Mapping[str, RetrievalLists]],
    batch_size: int = 64,
    num_workers: int = 0,
    progress: bool = True,
) -> dict[str, list[LabelledSearch]]:
    """Embed the queries and candidates of protocols, every photo once.

    Args:
        model (`nn.Module`): as in `evaluate_attribute_retrieval`, like all others.
        image_processor (`BaseImageProcessor`): its image processor.
        dataset (`Dataset`): N rows.
        column_map (`ColumnMap`): names the photo.
        protocols (`Sequence[Mapping[str, RetrievalLists]]`): attribute -> queries and candidates.
        batch_size (`int`, *optional*, defaults to 64): photos in a forward pass.
        num_workers (`int`, *optional*, defaults to 0): additional processes that decode photos.
        progress (`bool`, *optional*, defaults to `True`): show a progress bar.

    Returns:
        `dict[str, list[LabelledSearch]]`: attribute -> its searches, one for each protocol that has it.

    Raises:
        ValueError: the model lacks an attribute.
    """
    names = list(dict.fromkeys(name for protocol in protocols for name in protocol))
    places = _places(protocols, names, len(dataset))
    embeds = embed_attributes(
        model,
        image_processor,
        dataset,
        places >= 0,
        model_attribute_ids(model, names),
        column_map.image,
        batch_size,
        num_workers,
        progress,
    )
    return {
        name: [_search(embeds[number], places[:, number], one[name]) for one in protocols if name in one]
        for number, name in enumerate(names)
    }


def _places(protocols: Sequence[Mapping[str, RetrievalLists]], names: list[str], num_rows: int) -> Tensor:
    """Place of a row among those that an attribute needs the embeddings of: int64 (N, A), -1 for the others."""
    needed = torch.zeros(num_rows, len(names), dtype=torch.bool)
    for protocol in protocols:
        for name, lists in protocol.items():
            needed[torch.cat([lists.query_rows, lists.candidate_rows]), names.index(name)] = True
    return torch.where(needed, needed.cumsum(dim=0) - 1, -1)


def _search(embeds: Tensor, places: Tensor, lists: RetrievalLists) -> LabelledSearch:
    queries, candidates = embeds[places[lists.query_rows]], embeds[places[lists.candidate_rows]]
    return LabelledSearch(queries, candidates, lists.query_values, lists.candidate_values, lists.own_places)


def _found_and_expected(search: LabelledSearch) -> tuple[Tensor, Tensor]:
    """AP of every query, and its expectation under a random order: float64 (Q,) each."""
    precisions, relevant = [], []
    for ranked in search.rankings():
        precisions.append(average_precisions_of_hits(ranked.hits))
        relevant.append(ranked.hits.sum(dim=1))
    number = len(search.gallery_labels) - (search.own_places is not None)
    return torch.cat(precisions), expected_average_precisions_of_counts(torch.cat(relevant), number)
