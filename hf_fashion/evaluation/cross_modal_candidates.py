"""Choose which photos and descriptions of a corpus are compared, and embed them."""

from dataclasses import dataclass

import torch
from datasets import Dataset
from torch import Tensor
from transformers import PreTrainedModel, ProcessorMixin

from ..data.column_map import ColumnMap
from ..data.products import product_texts
from ..data.values import caption_texts
from ..embedding.corpus import embed_images, embed_texts, equality_ids
from ..metrics import TokenEmbeds
from .labelled_search import LabelledSearch
from .options import PAIRINGS


@dataclass(frozen=True)
class Candidates:
    """
    Rows of a split that take part in cross-modal retrieval, and their matches.

    Args:
        image_rows (`torch.Tensor` of shape `(I,)`): int64; rows whose photos are queries and candidates.
        text_rows (`torch.Tensor` of shape `(T,)`): int64; rows whose descriptions are queries and candidates.
        image_labels (`torch.Tensor` of shape `(I,)`): int64; equal labels are matches.
        text_labels (`torch.Tensor` of shape `(T,)`): int64; equal labels are matches.
    """

    image_rows: Tensor
    text_rows: Tensor
    image_labels: Tensor
    text_labels: Tensor


def choose_candidates(titles: list[str | None], pairing: str = "distinct_titles") -> Candidates:
    """Choose the rows to compare, by one of three conventions for corpora in which products share a title.

    Args:
        titles (`list[str | None]`): the title of each row; a row without one takes no part.
        pairing (`str`, *optional*, defaults to `"distinct_titles"`): `"distinct_titles"`: the first row of every
            distinct title, so that a query has one match; `"same_title"`: every photo and every distinct title, with
            all photos of a title as its matches; `"own_row"`: every photo and every title, and only the own row is a
            match, as in the published results on Fashion-Gen: the ceiling is below 1 where titles repeat.

    Raises:
        ValueError: the pairing is unknown, or no row has a title.
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
    Embeddings of both sides of cross-modal retrieval.

    Args:
        pairing (`str`): the convention by which the rows were chosen.
        candidates (`Candidates`): the rows and their matches.
        image_embeds (`torch.Tensor` of shape `(I, P)` or `TokenEmbeds`): embeddings of the photos.
        text_embeds (`torch.Tensor` of shape `(T, P)` or `TokenEmbeds`): embeddings of the descriptions.
        text_inputs (`torch.Tensor` of shape `(T,)`): int64; equal where the model sees equal tokens.
    """

    pairing: str
    candidates: Candidates
    image_embeds: Tensor | TokenEmbeds
    text_embeds: Tensor | TokenEmbeds
    text_inputs: Tensor

    def text_to_image(self) -> LabelledSearch:
        """Return the search for photos by description, to train or to evaluate a re-ranker."""
        labels = self.candidates.text_labels, self.candidates.image_labels
        return LabelledSearch(self.text_embeds, self.image_embeds, *labels)


def embed_candidates(
    model: PreTrainedModel,
    processor: ProcessorMixin,
    dataset: Dataset,
    column_map: ColumnMap,
    pairing: str = "distinct_titles",
    image_embeds: Tensor | TokenEmbeds | None = None,
    batch_size: int = 64,
    progress: bool = True,
) -> EmbeddedCandidates:
    """Embed the photos and descriptions that take part.

    Args:
        model (`PreTrainedModel`): E2, CLIP or FILIP.
        processor (`ProcessorMixin`): its processor.
        dataset (`Dataset`): N rows.
        column_map (`ColumnMap`): names the photo and the caption; see `product_texts`.
        pairing (`str`, *optional*, defaults to `"distinct_titles"`): see `choose_candidates`.
        image_embeds (`torch.Tensor` of shape `(N, P)`, *optional*): from `embed_images`. Default: computed here.
        batch_size (`int`, *optional*, defaults to 64): photos in a forward pass.
        progress (`bool`, *optional*, defaults to `True`): show progress bars.

    Raises:
        ValueError: the pairing is unknown, the map names no caption, or no row has one.
    """
    captions = product_texts(dataset, column_map, processor)
    candidates = choose_candidates(caption_texts(dataset, column_map.caption), pairing)
    if image_embeds is None:
        photos = dataset.select(candidates.image_rows)
        images = embed_images(model, processor, photos, column_map.image, batch_size, progress=progress)
        image_embeds = images["image_embeds"]
    else:
        image_embeds = image_embeds[candidates.image_rows]
    texts = embed_texts(model, processor, [captions[row] for row in candidates.text_rows], progress=progress)
    return EmbeddedCandidates(pairing, candidates, image_embeds, *texts)


def _first_places(ids: Tensor) -> Tensor:
    """First place of each of the ids 0, 1, ... (numbered by first appearance): (N,) -> (distinct,)."""
    highest_before = torch.cat([ids.new_tensor([-1]), ids.cummax(dim=0).values[:-1]])
    return (ids > highest_before).nonzero().flatten()
