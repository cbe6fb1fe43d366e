"""Measure searches by a photo and a change, on triples made of a catalogue's tags."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Any

import torch
from datasets import Dataset
from torch import Tensor
from transformers import PreTrainedModel, ProcessorMixin

from ...data.column_map import ColumnMap
from ...data.values import column_texts
from ...embedding.capabilities import region_spaces
from ...embedding.changes.photo_changes import ChangedQuery, Part, PhotoChanger
from ...embedding.corpus import embed_images, equality_ids
from ...metrics.changed_search import change_recall, first_share
from ..tags import region_embeds_by_entity
from .change_triples import ChangeTriple, change_triples


PRIMARY_METRIC = "mean_recall"
# Rows of the results that use no tags: what a way must beat.
BASELINES = ("photo", "words", "sum")
# (embeddings of a photo by space, words, its tags) -> what is searched
Searcher = Callable[[Mapping[str, Tensor], str, Mapping[str, str] | None], ChangedQuery]


def evaluate_changes(
    model: PreTrainedModel,
    processor: ProcessorMixin,
    dataset: Dataset,
    column_map: ColumnMap,
    images: dict[str, Tensor] | None = None,
    batch_size: int = 64,
    progress: bool = True,
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

    Returns:
        `dict`: `entities`, those with queries; `rows`, the ways: `"photo"`, `"words"` and their `"sum"`; `"text"` and
        `"arithmetic"`, with the tags that the model names, and with `_known` those of the corpus; for E2
        `"regions"`, arithmetic with its regions. For each entity `{entity}_num_queries` and for each way
        `{entity}_{way}_recall@10`, `_recall@50`, `_changed` (share of the first ten with the asked value) and
        `_kept` (share with all other tags of the photo). `{way}_recall` is the mean of both recalls over entities,
        the primary metric `mean_recall` that of the pipeline's default.

    Raises:
        ValueError: the map names fewer than two tags, or no product differs from another in one tag.
    """
    if len(column_map.tags) < 2:
        raise ValueError("changes of one tag that keep the others need two `tags` in the column map at least")
    tags = {entity: column_texts(dataset, column) for entity, column in column_map.tags.items()}
    triples = {entity: found for entity in tags if (found := change_triples(tags, entity))}
    if not triples:
        raise ValueError("no product of the split differs from another in one tag only: there is nothing to find")
    if images is None:
        images = embed_images(model, processor, dataset, column_map.image, batch_size, progress=progress)
    gallery = embeds_by_space(model, images)
    changers = changers_for(model, processor, tags, list(gallery))
    for changer in changers:
        changer.prepare(_asked(changer, triples, tags, gallery))
    searchers = searchers_for(*changers)
    results: dict[str, Any] = {"entities": list(triples), "rows": list(searchers)}
    for entity, asked in triples.items():
        results[f"{entity}_num_queries"] = len(asked)
        for way, searcher in searchers.items():
            scores = _scores(searcher, asked, tags, gallery)
            metrics = change_metrics(scores, asked, tags, entity)
            results |= {f"{entity}_{way}_{name}": value for name, value in metrics.items()}
    recalls = {way: _mean_recall(results, way) for way in searchers}
    default = "regions" if "regions" in recalls else "arithmetic"
    return results | {f"{way}_recall": value for way, value in recalls.items()} | {PRIMARY_METRIC: recalls[default]}


def changers_for(
    model: PreTrainedModel, processor: ProcessorMixin, tags: Mapping[str, Sequence[str | None]], spaces: Sequence[str]
) -> list[PhotoChanger]:
    """Return what embeds photos with changes: by embeddings of whole photos, and of E2 by its regions too.

    Args:
        model (`PreTrainedModel`): E2, CLIP or SigLIP.
        processor (`ProcessorMixin`): its processor.
        tags (`Mapping[str, Sequence[str | None]]`): entity -> its value in each row; they are the known values.
        spaces (`Sequence[str]`): of the gallery.
    """
    values = {entity: sorted({value for value in its if value}) for entity, its in tags.items()}
    kept = [["image"], spaces] if region_spaces(model, spaces) else [["image"]]
    return [PhotoChanger(model, processor.tokenizer, values, its) for its in kept]


def searchers_for(changer: PhotoChanger, by_region: PhotoChanger | None = None) -> dict[str, Searcher]:
    """Return the ways to search by a photo and a change, and what they must beat, by name.

    Args:
        changer ([`PhotoChanger`]): embeds whole photos. Where it knows no values, no tags are edited.
        by_region ([`PhotoChanger`], *optional*): works on E2's regions.
    """
    searchers = {name: _baseline(changer, name) for name in BASELINES}
    for way in ("text", "arithmetic") if changer.values else ("arithmetic",):
        searchers[way] = lambda photo, words, tags, way=way: changer.query(photo, words, None, way)
        if changer.values:
            searchers[f"{way}_known"] = lambda photo, words, tags, way=way: changer.query(photo, words, tags, way)
    if by_region is not None:
        searchers["regions"] = lambda photo, words, tags: by_region.query(photo, words)
    return searchers


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


def _asked(
    changer: PhotoChanger,
    triples: Mapping[str, Sequence[ChangeTriple]],
    tags: Mapping[str, Sequence[str | None]],
    gallery: Mapping[str, Tensor],
) -> Iterator[tuple[str, dict[str, str]]]:
    """The words of every query with the photo's tags, those of the corpus and those that the model names."""
    for triple in chain.from_iterable(triples.values()):
        yield triple.words, {entity: its[triple.row] for entity, its in tags.items()}
        yield triple.words, changer.name_tags({space: embeds[triple.row] for space, embeds in gallery.items()})


def _baseline(changer: PhotoChanger, name: str) -> Searcher:
    """A search that uses the words as they are."""

    def search(photo: Mapping[str, Tensor], words: str, tags: Mapping[str, str] | None) -> ChangedQuery:
        text = changer.embed_text(words)
        vector = {"photo": photo["image"], "words": text, "sum": photo["image"] + text}[name]
        vector = vector / vector.norm()
        return ChangedQuery(vector, (Part("image", vector, 1.0),))

    return search


def _scores(
    searcher: Searcher,
    triples: Sequence[ChangeTriple],
    tags: Mapping[str, Sequence[str | None]],
    gallery: Mapping[str, Tensor],
) -> Tensor:
    """(Q, N): of every product for every query."""
    rows = []
    for triple in triples:
        photo = {space: embeds[triple.row] for space, embeds in gallery.items()}
        known = {entity: its[triple.row] for entity, its in tags.items()}
        rows.append(weighted_scores(searcher(photo, triple.words, known), gallery))
    return torch.stack(rows)


def _mean_recall(results: Mapping[str, Any], way: str) -> float:
    recalls = [results[f"{entity}_{way}_recall@{k}"] for entity in results["entities"] for k in (10, 50)]
    return sum(recalls) / len(recalls)
