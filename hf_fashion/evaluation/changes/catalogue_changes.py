"""Measure searches by a photo and a change, on triples made of a catalogue's tags."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

import torch
from datasets import Dataset
from torch import Tensor
from transformers import PreTrainedModel, ProcessorMixin

from ...data.column_map import ColumnMap
from ...data.values import column_texts
from ...embedding.capabilities import region_spaces
from ...embedding.changes.changed_query import ChangedQuery
from ...embedding.changes.combiners import TrainedCombiner
from ...embedding.changes.photo_changes import PhotoChanger
from ...embedding.corpus import embed_images, equality_ids
from ...metrics.changed_search import change_recall, first_share
from ...metrics.ranking import MAX_CHUNK_SCORES
from ..tags import region_embeds_by_entity
from .change_triples import ChangeTriple, change_triples
from .searchers import AskedChange, Searcher, changer_for, default_way, searchers_for


PRIMARY_METRIC = "mean_recall"


def evaluate_changes(
    model: PreTrainedModel,
    processor: ProcessorMixin,
    dataset: Dataset,
    column_map: ColumnMap,
    images: dict[str, Tensor] | None = None,
    batch_size: int = 64,
    progress: bool = True,
    combiner: TrainedCombiner | None = None,
    queries: CatalogueQueries | None = None,
) -> dict[str, Any]:
    """Return metrics of searches by a photo and a change of one tag, for every entity of `column_map.tags`.

    A query is a photo and words such as "in Red"; its targets have this value and share all other tags. The other
    products of the split are searched, the query's own is not.

    Args:
        model (`PreTrainedModel`): E2, CLIP or SigLIP.
        processor (`ProcessorMixin`): its processor.
        dataset (`Dataset`): N rows.
        column_map (`ColumnMap`): names the photo and the column of each entity's tag.
        images (`dict[str, torch.Tensor]`, *optional*): from `embed_images`. Default: computed here.
        batch_size (`int`, *optional*, defaults to 64): photos in a forward pass.
        progress (`bool`, *optional*, defaults to `True`): show progress bars.
        combiner ([`TrainedCombiner`], *optional*): trained with this model.
        queries ([`CatalogueQueries`], *optional*): from [`catalogue_queries`]. Default: made here.

    Returns:
        `dict`: `entities`, those with queries; `rows`, the ways: `"photo"`, `"words"` and their `"sum"`; `"text"` and
        `"arithmetic"`, with the tags that the model names, and with `_known` those of the corpus; for E2
        `"regions"`, arithmetic with its regions; `"combiner"` where there is one. For each entity
        `{entity}_num_queries` and for each way `{entity}_{way}_recall@10`, `_recall@50`, `_changed` (share of the
        first ten with the asked value) and `_kept` (share with all other tags of the photo). `{way}_recall` is the
        mean of both recalls over entities, the primary metric `mean_recall` that of the pipeline's default.

    Raises:
        ValueError: the map names fewer than two tags, no product differs from another in one tag, or the combiner is
            of another model.
    """
    if queries is None:
        queries = catalogue_queries(dataset, column_map)
    if images is None:
        images = embed_images(model, processor, dataset, column_map.image, batch_size, progress=progress)
    gallery = embeds_by_space(model, images)
    changer = changer_for(model, processor, queries.tags, list(gallery), combiner)
    searchers = searchers_for(changer)
    results = measure_changes(queries, ask(queries, changer, gallery), searchers, gallery)
    return results | {PRIMARY_METRIC: results[f"{default_way(searchers)}_recall"]}


@dataclass(frozen=True, eq=False)
class CatalogueQueries:
    """Queries that change one tag, of a split.

    Args:
        tags (`Mapping[str, Sequence[str | None]]`): entity -> its value in each of N rows.
        triples (`Mapping[str, Sequence[ChangeTriple]]`): entity that changes -> its queries, of entities with any.
    """

    tags: Mapping[str, Sequence[str | None]]
    triples: Mapping[str, Sequence[ChangeTriple]]


def catalogue_queries(dataset: Dataset, column_map: ColumnMap) -> CatalogueQueries:
    """Return all queries that change one tag of a split's photos.

    Args:
        dataset (`Dataset`): N rows.
        column_map (`ColumnMap`): names the column of each entity's tag.

    Raises:
        ValueError: the map names fewer than two tags, or no product differs from another in one tag.
    """
    if len(column_map.tags) < 2:
        raise ValueError("changes of one tag that keep the others need two `tags` in the column map at least")
    tags = {entity: column_texts(dataset, column) for entity, column in column_map.tags.items()}
    triples = {entity: found for entity in tags if (found := change_triples(tags, entity))}
    if not triples:
        raise ValueError("no product of the split differs from another in one tag only: there is nothing to find")
    return CatalogueQueries(tags, triples)


def ask(
    queries: CatalogueQueries, changer: PhotoChanger, gallery: Mapping[str, Tensor]
) -> dict[str, list[AskedChange]]:
    """Return the queries of each entity with the embeddings and tags of their photos; texts are embedded in batches.

    Args:
        queries ([`CatalogueQueries`]): of a split.
        changer ([`PhotoChanger`]): embeds texts, and names the tags of each photo once.
        gallery (`Mapping[str, torch.Tensor]`): for each space (N, d), of length 1.
    """
    rows = {triple.row for triple in chain.from_iterable(queries.triples.values())}
    photos = {row: {space: embeds[row] for space, embeds in gallery.items()} for row in sorted(rows)}
    named = {row: changer.name_tags(photo) for row, photo in photos.items()}
    known = {row: {entity: its[row] for entity, its in queries.tags.items()} for row in photos}
    asked = {
        entity: [AskedChange(photos[one.row], one.words, named[one.row], known[one.row]) for one in its]
        for entity, its in queries.triples.items()
    }
    every = chain.from_iterable(asked.values())
    changer.prepare((one.words, tags) for one in every for tags in (one.known, one.named))
    return asked


def measure_changes(
    queries: CatalogueQueries,
    asked: Mapping[str, Sequence[AskedChange]],
    searchers: Mapping[str, Searcher],
    gallery: Mapping[str, Tensor],
) -> dict[str, Any]:
    """Return the metrics of some ways to search, as [`evaluate_changes`] does, without the primary one.

    Args:
        queries ([`CatalogueQueries`]): of a split.
        asked (`Mapping[str, Sequence[AskedChange]]`): from [`ask`].
        searchers (`Mapping[str, Searcher]`): the ways, by name.
        gallery (`Mapping[str, torch.Tensor]`): for each space (N, d), of length 1.
    """
    results: dict[str, Any] = {"entities": list(asked), "rows": list(searchers)}
    for entity, its in asked.items():
        results[f"{entity}_num_queries"] = len(its)
        for way, searcher in searchers.items():
            metrics = _metrics_by_parts(its, queries, entity, searcher, gallery)
            results |= {f"{entity}_{way}_{name}": value for name, value in metrics.items()}
    return results | {f"{way}_recall": mean_recall(results, list(asked), way) for way in searchers}


def _metrics_by_parts(
    asked: Sequence[AskedChange],
    queries: CatalogueQueries,
    entity: str,
    searcher: Searcher,
    gallery: Mapping[str, Tensor],
) -> dict[str, float]:
    """The metrics of one entity and way, of parts of the queries: there are more queries than products."""
    triples, total = queries.triples[entity], Counter()
    size = max(1, MAX_CHUNK_SCORES // len(next(iter(gallery.values()))))
    for start in range(0, len(asked), size):
        part = slice(start, start + size)
        scores = torch.stack([weighted_scores(searcher(one), gallery) for one in asked[part]])
        for name, value in change_metrics(scores, triples[part], queries.tags, entity).items():
            total[name] += value * len(scores)
    return {name: value / len(asked) for name, value in total.items()}


def change_metrics(
    scores: Tensor, triples: Sequence[ChangeTriple], tags: Mapping[str, Sequence[str | None]], entity: str
) -> dict[str, float]:
    """Return `recall@10`, `recall@50`, `changed` and `kept` of searches by triples.

    Args:
        scores (`torch.Tensor` of shape `(Q, N)`): of each product for each query.
        triples (`Sequence[ChangeTriple]`): Q queries; their own products are not searched.
        tags (`Mapping[str, Sequence[str | None]]`): entity -> its value in each of N rows.
        entity (`str`): the one that changes.
    """
    own = torch.tensor([triple.row for triple in triples])
    scores = scores.scatter(1, own[:, None], -torch.inf)
    targets = torch.zeros_like(scores, dtype=torch.bool)
    for place, triple in enumerate(triples):
        targets[place, list(triple.targets)] = True
    numbers = {name: equality_ids(its) for name, its in tags.items()}
    kept = torch.ones_like(targets)
    for name, its in numbers.items():
        if name != entity:
            kept &= its[own][:, None] == its
    asked = numbers[entity][torch.tensor([triple.targets[0] for triple in triples])]
    changed = asked[:, None] == numbers[entity]
    return change_recall(scores, targets) | {
        "changed": first_share(scores, changed),
        "kept": first_share(scores, kept),
    }


def embeds_by_space(model: PreTrainedModel, images: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return the embeddings of photos and of E2's regions by space, (N, d) each.

    Args:
        model (`PreTrainedModel`): E2, CLIP or SigLIP.
        images (`dict[str, torch.Tensor]`): from `embed_images`.
    """
    by_entity = region_embeds_by_entity(model, images)
    return {"image": images["image_embeds"]} | {name: by_entity[name] for name in region_spaces(model, by_entity)}


def weighted_scores(query: ChangedQuery, gallery: Mapping[str, Tensor]) -> Tensor:
    """Score every product of a gallery for a changed query: (N,).

    Args:
        query ([`ChangedQuery`]): what is searched.
        gallery (`Mapping[str, torch.Tensor]`): for each space (N, d), of length 1.
    """
    return sum(part.weight * (gallery[part.space] @ part.vector) for part in query.parts)


def mean_recall(results: Mapping[str, Any], entities: Sequence[str], way: str) -> float:
    """Return the mean of both recalls of a way to search, over entities.

    Args:
        results (`Mapping[str, Any]`): `{entity}_{way}_recall@10` and `_recall@50`.
        entities (`Sequence[str]`): those that change.
        way (`str`): its name.
    """
    recalls = [results[f"{entity}_{way}_recall@{k}"] for entity in entities for k in (10, 50)]
    return sum(recalls) / len(recalls)
