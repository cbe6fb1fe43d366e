"""Which photos and descriptions of a corpus are compared with each other, and their embeddings."""

from dataclasses import dataclass

import torch
from datasets import Dataset
from torch import Tensor
from transformers import PreTrainedModel, ProcessorMixin

from ..data.column_map import ColumnMap
from ..data.products import product_texts
from ..data.values import column_texts
from ..embedding.corpus import embed_images, embed_texts, equality_ids
from .labelled_search import LabelledSearch
from .retrieval_options import PAIRINGS


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


@dataclass(frozen=True, eq=False)
class EmbeddedCandidates:
    """
    Both sides of a retrieval, embedded.

    Args:
        pairing: by which convention they were chosen.
        candidates: which rows they are, and what matches what.
        image_embeds: (I, P).
        text_embeds: (T, P).
        text_inputs: int64 (T,); equal where the model sees equal tokens.
    """

    pairing: str
    candidates: Candidates
    image_embeds: Tensor
    text_embeds: Tensor
    text_inputs: Tensor

    def text_to_image(self) -> LabelledSearch:
        """Descriptions that ask for photos, for a re-ranker to learn from or to be judged by."""
        labels = self.candidates.text_labels, self.candidates.image_labels
        return LabelledSearch(self.text_embeds, self.image_embeds, *labels)


def embed_candidates(
    model: PreTrainedModel,
    processor: ProcessorMixin,
    dataset: Dataset,
    column_map: ColumnMap,
    pairing: str = "distinct_titles",
    image_embeds: Tensor | None = None,
    batch_size: int = 64,
    progress: bool = True,
) -> EmbeddedCandidates:
    """Embeds the photos and descriptions that take part.

    Args:
        model: E2 or CLIP.
        processor: its processor.
        dataset: N rows.
        column_map: names the photo and the caption; see `product_texts`.
        pairing: see `choose_candidates`.
        image_embeds: (N, P) from `embed_images`, where they are at hand.
        batch_size: photos a forward pass.
        progress: whether to show progress bars.

    Raises:
        ValueError: the pairing is none of those, the map names no caption, or no row has one.
    """
    captions = product_texts(dataset, column_map, processor)
    candidates = choose_candidates(column_texts(dataset, column_map.caption), pairing)
    if image_embeds is None:
        photos = dataset.select(candidates.image_rows)
        images = embed_images(model, processor, photos, column_map.image, batch_size, progress=progress)
        image_embeds = images["image_embeds"]
    else:
        image_embeds = image_embeds[candidates.image_rows]
    texts = embed_texts(model, processor, [captions[row] for row in candidates.text_rows], progress=progress)
    return EmbeddedCandidates(pairing, candidates, image_embeds, *texts)


def _first_places(ids: Tensor) -> Tensor:
    """Where each of the ids 0, 1, ... (numbered by first appearance) stands first: (N,) -> (distinct,)."""
    highest_before = torch.cat([ids.new_tensor([-1]), ids.cummax(dim=0).values[:-1]])
    return (ids > highest_before).nonzero().flatten()
