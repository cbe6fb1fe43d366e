"""Measure searches by a photo and a change on Fashion-IQ, by its protocol."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from datasets import Dataset
from torch import Tensor
from transformers import PreTrainedModel, ProcessorMixin

from ...data.column_map import ColumnMap
from ...data.converters.fashion_iq import FashionIQSplit, read_fashion_iq_queries
from ...data.values import column_texts
from ...embedding.changes.change_words import ChangeReader
from ...embedding.changes.combiners import TrainedCombiner
from ...embedding.corpus import embed_images
from ...messages import listed
from ...metrics.changed_search import change_recall
from .catalogue_changes import embeds_by_space, mean_recall, weighted_scores
from .searchers import BASELINES, AskedChange, Searcher, changer_for, default_way, searchers_for


logger = logging.getLogger(__name__)

CATEGORIES = ("dress", "shirt", "toptee")
PRIMARY_METRIC = "mean_recall"


def evaluate_fashion_iq(
    model: PreTrainedModel,
    processor: ProcessorMixin,
    dataset: Dataset,
    column_map: ColumnMap,
    folder: str | Path,
    split: str = "validation",
    batch_size: int = 64,
    progress: bool = True,
    combiner: TrainedCombiner | None = None,
) -> dict[str, Any]:
    """Return recall@10 and recall@50 of each category of Fashion-IQ, and their means.

    As in the published results (`src/validate.py` of CLIP4Cir), both captions of a query are joined by "and", all
    photos of the category's split file are searched, and the query's own photo stays among them: it counts as a wrong
    result. Where the captions name no difference, such as "is the same", all ways but the baselines search by the
    photo only, which a warning says. Photos that the corpus lacks, and queries from or to them, are left out with a
    warning: the recalls are then not those of the published protocol.

    Args:
        model (`PreTrainedModel`): E2, CLIP or SigLIP.
        processor (`ProcessorMixin`): its processor.
        dataset (`Dataset`): the photos, as `hf-fashion convert fashion-iq` saves them.
        column_map (`ColumnMap`): names the columns of photo and id.
        folder (`str` or `Path`): has `cap.*.json` and `split.*.json`, or folders with them.
        split (`str`, *optional*, defaults to `"validation"`): `"train"` or `"validation"`.
        batch_size (`int`, *optional*, defaults to 64): photos in a forward pass.
        progress (`bool`, *optional*, defaults to `True`): show a progress bar.
        combiner ([`TrainedCombiner`], *optional*): trained with this model.

    Returns:
        `dict`: `entities`, the categories; `rows`, the ways: `"photo"`, `"words"`, their `"sum"`, `"arithmetic"`, for
        E2 `"regions"`, and `"combiner"` where there is one; for each category `{category}_num_queries` and
        `_num_photos`, `_num_left_out_queries` and `_num_left_out_photos`, and for each way
        `{category}_{way}_recall@10` and `_recall@50`; `{way}_recall`, the mean of both over the categories, and the
        primary metric `mean_recall`, that of the pipeline's default.

    Raises:
        FileNotFoundError: the folder has no queries.
        ValueError: the split has no answers, the column map has no `product_id`, the corpus lacks the photos of all
            queries of a category, or the combiner is of another model.
    """
    whole = _read_splits(Path(folder), split)
    if column_map.product_id is None:
        raise ValueError("Fashion-IQ names photos by their ids: add their column as `product_id` to the column map")
    row_of = {name: row for row, name in enumerate(column_texts(dataset, column_map.product_id))}
    searched = [_with_photos(one, row_of) for one in whole]
    images = embed_images(model, processor, dataset, column_map.image, batch_size, progress=progress)
    embeds = embeds_by_space(model, images)
    searchers = searchers_for(changer_for(model, processor, {}, list(embeds), combiner))
    results: dict[str, Any] = {"entities": [one.category for one in searched], "rows": list(searchers)}
    for one, read in zip(searched, whole, strict=True):
        words = [joined_captions(query.captions) for query in one.queries]
        equal = _names_no_change(words, one.category)
        results |= {f"{one.category}_{name}": value for name, value in _counts(one, read).items()}
        for way, searcher in searchers.items():
            by_photo = () if way in BASELINES else equal  # baselines read no words
            chosen = [searchers["photo"] if text in by_photo else searcher for text in words]
            recalls = _recalls(one, words, chosen, embeds, row_of)
            results |= {f"{one.category}_{way}_{name}": value for name, value in recalls.items()}
    for way in searchers:
        results[f"{way}_recall"] = mean_recall(results, results["entities"], way)
    return results | {PRIMARY_METRIC: results[f"{default_way(searchers)}_recall"]}


def joined_captions(captions: Sequence[str]) -> str:
    """Return the captions of a query as one text, such as `"Is red and has no sleeves"`.

    Args:
        captions (`Sequence[str]`): by several people.
    """
    texts = [caption.strip(".?, ") for caption in captions]
    return " and ".join([texts[0].capitalize(), *texts[1:]])


def _names_no_change(words: Sequence[str], category: str) -> list[str]:
    """The words that name no difference, which a warning counts."""
    reader, found = ChangeReader({}), []
    for text in words:
        try:
            reader.read(text)
        except ValueError:
            found.append(text)
    if found:
        message = "%d of %d queries of %s name no difference and are searched by their photo only, such as %.80r"
        logger.warning(message, len(found), len(words), category, found[0])
    return found


def _read_splits(folder: Path, split: str) -> list[FashionIQSplit]:
    if split == "test":
        raise ValueError("the answers of Fashion-IQ's test split are not published: evaluate on validation")
    found = [name for name in CATEGORIES if any(folder.rglob(f"cap.{name}.*.json"))]
    if not found:
        raise FileNotFoundError(f"{folder} has no cap.dress.val.json, nor one of another category of Fashion-IQ")
    return [read_fashion_iq_queries(folder, name, split) for name in found]


def _with_photos(split: FashionIQSplit, row_of: Mapping[str, int]) -> FashionIQSplit:
    """The queries and the gallery of which the corpus has the photos."""
    gallery = tuple(name for name in split.gallery_ids if name in row_of)
    queries = tuple(query for query in split.queries if {query.candidate, query.target} <= row_of.keys())
    asked = [*split.gallery_ids, *(query.candidate for query in split.queries)]
    if lost := sorted({name for name in asked if name not in row_of}):
        head = (
            f"Fashion-IQ's {split.category}: the corpus lacks {len(lost):,} photos, without which "
            f"{len(queries):,} of {len(split.queries):,} queries and {len(gallery):,} of {len(split.gallery_ids):,} "
            "photos to search are left. The recalls are not comparable with published ones"
        )
        if not queries:
            raise ValueError(listed(f"{head}. Is it another split, or a category to remove the files of?", lost))
        logger.warning("%s", listed(head, lost))
    return replace(split, queries=queries, gallery_ids=gallery)


def _counts(searched: FashionIQSplit, whole: FashionIQSplit) -> dict[str, int]:
    return {
        "num_queries": len(searched.queries),
        "num_photos": len(searched.gallery_ids),
        "num_left_out_queries": len(whole.queries) - len(searched.queries),
        "num_left_out_photos": len(whole.gallery_ids) - len(searched.gallery_ids),
    }


def _recalls(
    split: FashionIQSplit,
    words: Sequence[str],
    searchers: Sequence[Searcher],
    embeds: Mapping[str, Tensor],
    row_of: Mapping[str, int],
) -> dict[str, float]:
    rows = [row_of[name] for name in split.gallery_ids]
    gallery = {space: its[rows] for space, its in embeds.items()}
    scores = []
    for query, text, search in zip(split.queries, words, searchers, strict=True):
        photo = {space: its[row_of[query.candidate]] for space, its in embeds.items()}
        scores.append(weighted_scores(search(AskedChange(photo, text)), gallery))
    names = list(split.gallery_ids)
    targets = torch.tensor([names.index(query.target) for query in split.queries])
    return change_recall(torch.stack(scores), torch.arange(len(names)) == targets[:, None])
