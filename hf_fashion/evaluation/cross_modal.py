"""Image-to-text and text-to-image retrieval on one split of a corpus."""

from dataclasses import dataclass

import torch
from datasets import Dataset
from torch import Tensor
from transformers import PreTrainedModel, ProcessorMixin

from ..data.column_map import ColumnMap
from ..data.products import product_texts
from ..data.values import column_texts
from ..metrics import cross_modal_recall, relevant_recall_at_k, relevant_recall_ceiling, sample_cross_modal_recall
from ..retrieval.labelled_search import LabelledSearch
from .choices import PAIRINGS, PROTOCOLS
from .inputs import embed_images, embed_texts, equality_ids, photo_ids


PRIMARY_METRIC = "sum_recall"


@dataclass(frozen=True)
class Candidates:
    """Which rows of a split take part in a retrieval, and what matches what.

    Args:
        image_rows: rows whose photos are candidates and queries, int64 (I,).
        text_rows: rows whose descriptions are, int64 (T,).
        image_labels: int64 (I,); equal labels are matches.
        text_labels: int64 (T,), likewise.
    """

    image_rows: Tensor
    text_rows: Tensor
    image_labels: Tensor
    text_labels: Tensor


def choose_candidates(titles: list[str | None], pairing: str = "distinct_titles") -> Candidates:
    """Applies one of three conventions for corpora in which several products share a title.

    Args:
        titles: one a row; None or empty = the row takes no part.
        pairing: `distinct_titles`: the first row of every distinct title, so that one is right per query;
            `same_title`: every photo, and every distinct title once, with all photos of a title as its matches;
            `own_row`: every photo and every title, and only the own row is right, as in the published Fashion-Gen
            figures: the ceiling falls below 1 where titles repeat.

    Raises:
        ValueError: the pairing is another, or no row has a title.
    """
    if pairing not in PAIRINGS:
        raise ValueError(f"`pairing` must be one of {PAIRINGS}, got {pairing!r}")
    titled = torch.tensor([row for row, title in enumerate(titles) if title], dtype=torch.long)
    if not len(titled):
        raise ValueError("no row has a title: there is nothing to retrieve with")
    if pairing == "own_row":
        return Candidates(titled, titled, titled, titled)
    title_ids = equality_ids(titles[row] for row in titled)
    firsts = titled[_first_places(title_ids)]
    labels = torch.arange(len(firsts))
    if pairing == "distinct_titles":
        return Candidates(firsts, firsts, labels, labels)
    return Candidates(titled, firsts, title_ids, labels)


def evaluate_cross_modal(
    model: PreTrainedModel,
    processor: ProcessorMixin,
    dataset: Dataset,
    column_map: ColumnMap,
    pairing: str = "distinct_titles",
    protocol: str = "full",
    group_column: str | None = None,
    seed: int = 0,
    image_embeds: Tensor | None = None,
    batch_size: int = 64,
    progress: bool = True,
) -> dict[str, float | str]:
    """Recall@1, 5, 10 both ways on a split, each beside its ceiling; the primary metric is `sum_recall`.

    Args:
        model: E2 or CLIP.
        processor: its processor.
        dataset: N rows.
        column_map: names the photo and the caption; see `product_texts`.
        pairing: see `choose_candidates`.
        protocol: `full` (every candidate) or `sample100` (one match and 100 non-matches of the same group).
        group_column: for `sample100`, the column of the group (sub-category); rows without a value form one group.
        seed: for `sample100`, seed of the draws.
        image_embeds: (N, P) from `embed_images`, where they are at hand.
        batch_size: photos a forward pass.
        progress: whether to show progress bars.

    Returns:
        The figures of `cross_modal_recall` or `sample_cross_modal_recall`; with `same_title` also
        `text_to_image_relevant_recall@k` and its ceiling; and `pairing`, `protocol`, `num_images`, `num_texts`.

    Raises:
        ValueError: an argument is none of the above, the map names no caption, or no row has one.
    """
    if protocol not in PROTOCOLS:
        raise ValueError(f"`protocol` must be one of {PROTOCOLS}, got {protocol!r}")
    if protocol == "sample100" and group_column is None:
        raise ValueError("the sample100 protocol draws negatives from a group: give `group_column`")
    captions = product_texts(dataset, column_map, processor)
    candidates = choose_candidates(column_texts(dataset, column_map.caption), pairing)
    if image_embeds is None:
        photos = dataset.select(candidates.image_rows)
        images = embed_images(model, processor, photos, column_map.image, batch_size, progress=progress)
        image_embeds = images["image_embeds"]
    else:
        image_embeds = image_embeds[candidates.image_rows]
    text_embeds, text_inputs = embed_texts(
        model, processor, [captions[row] for row in candidates.text_rows], progress=progress
    )
    sides = (image_embeds, text_embeds, candidates.image_labels, candidates.text_labels)
    image_inputs = photo_ids(dataset, column_map.image)[candidates.image_rows]
    if protocol == "sample100":
        groups = equality_ids(column_texts(dataset, group_column))
        figures = sample_cross_modal_recall(
            *sides, groups[candidates.image_rows], groups[candidates.text_rows], image_inputs, text_inputs, seed=seed
        )
    else:
        figures = cross_modal_recall(*sides, image_inputs, text_inputs)
        if pairing == "same_title":
            figures |= _relevant_recall(*sides)
    counts = {"num_images": len(image_embeds), "num_texts": len(text_embeds)}
    return figures | {"pairing": pairing, "protocol": protocol} | counts


def text_to_image_search(
    model: PreTrainedModel,
    processor: ProcessorMixin,
    dataset: Dataset,
    column_map: ColumnMap,
    pairing: str = "distinct_titles",
    image_embeds: Tensor | None = None,
    batch_size: int = 64,
    progress: bool = True,
) -> LabelledSearch:
    """Descriptions that ask for photos, for a re-ranker to learn from or to be judged by.

    Args:
        model: as in `evaluate_cross_modal`, like all others.
        processor: its processor.
        dataset: N rows.
        column_map: names the photo and the caption.
        pairing: see `choose_candidates`.
        image_embeds: (N, P) from `embed_images`, where they are at hand.
        batch_size: photos a forward pass.
        progress: whether to show progress bars.

    Raises:
        ValueError: as `evaluate_cross_modal`.
    """
    captions = product_texts(dataset, column_map, processor)
    candidates = choose_candidates(column_texts(dataset, column_map.caption), pairing)
    if image_embeds is None:
        images = embed_images(model, processor, dataset, column_map.image, batch_size, progress=progress)
        image_embeds = images["image_embeds"]
    asked = [captions[row] for row in candidates.text_rows]
    text_embeds, _ = embed_texts(model, processor, asked, progress=progress)
    gallery = image_embeds[candidates.image_rows]
    return LabelledSearch(text_embeds, gallery, candidates.text_labels, candidates.image_labels)


def _relevant_recall(
    image_embeds: Tensor, text_embeds: Tensor, image_labels: Tensor, text_labels: Tensor
) -> dict[str, float]:
    figures = relevant_recall_at_k(text_embeds, image_embeds, text_labels, image_labels)
    figures |= relevant_recall_ceiling(text_labels, image_labels)
    return {f"text_to_image_{name}": value for name, value in figures.items() if "@" in name}


def _first_places(ids: Tensor) -> Tensor:
    """Where each of the ids 0, 1, ... (numbered by first appearance) stands first: (N,) -> (distinct,)."""
    highest_before = torch.cat([ids.new_tensor([-1]), ids.cummax(dim=0).values[:-1]])
    return (ids > highest_before).nonzero().flatten()
