"""Queries -> vectors in a space of the gallery, for E2, CLIP and attribute-specific models."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import torch
from PIL import Image
from torch import Tensor
from torch.nn.functional import normalize, pad
from transformers import BaseImageProcessor, PreTrainedModel, PreTrainedTokenizerBase
from transformers.image_utils import load_image

from .query_fashion_retrieval import PHOTO_BEGINNINGS, FashionQuery, did_you_mean


IMAGE_INPUTS = ("pixel_values", "source_pixel_values", "source_sizes")


class QueryEmbedder:
    """Embeds queries as a gallery's photos were embedded.

    Args:
        model (`PreTrainedModel`): E2, CLIP or an attribute-specific model.
        image_processor (`BaseImageProcessor`): of its photos.
        tokenizer (`PreTrainedTokenizerBase` or `None`): of its texts.
        gallery_spaces (`Sequence[str]`): the spaces of the gallery, all of them the model's.
    """

    def __init__(
        self,
        model: PreTrainedModel,
        image_processor: BaseImageProcessor,
        tokenizer: PreTrainedTokenizerBase | None,
        gallery_spaces: Sequence[str],
    ):
        self.model = model
        self.image_processor = image_processor
        self.tokenizer = tokenizer
        self.attribute_names = list(getattr(model.config, "attribute_names", None) or [])
        self.model_spaces = self.attribute_names or ["image"]
        self.gallery_spaces = list(gallery_spaces)

    def check_attribute(self, attribute: str | None) -> None:
        """Does nothing if a photo can be compared in this attribute.

        Args:
            attribute (`str`, *optional*): its name; `None` for models without attributes.

        Raises:
            ValueError: the attribute is missing, unknown, or the model has none.
        """
        known = self.gallery_spaces
        if not self.attribute_names and attribute is not None:
            raise ValueError(f"{type(self.model).__name__} has no attributes, got `attribute`={attribute!r}")
        if self.attribute_names and attribute is None:
            raise ValueError(
                f"{type(self.model).__name__} compares photos in one attribute: give the query, the call or the "
                f"pipeline an `attribute`, one of {', '.join(known)}"
            )
        if attribute is not None and attribute not in known:
            raise ValueError(
                f"unknown `attribute` {attribute!r}{did_you_mean(attribute, known)}: model and gallery know "
                f"{', '.join(known)}"
            )

    def prepare(self, query: FashionQuery) -> dict[str, Any]:
        """One query as the model's inputs, on the CPU. Terms stay strings, since those of a batch are padded together.

        Args:
            query ([`FashionQuery`]): the query.

        Raises:
            ValueError: there are terms for a model that reads no text, the attribute is wrong, or the photo cannot be
                read.
        """
        if query.terms and (self.tokenizer is None or not hasattr(self.model, "get_text_features")):
            raise ValueError(
                f"{type(self.model).__name__} reads no text, got {list(query.terms)}. If a photo is meant, give its "
                'path as {"image": path}'
            )
        self.check_attribute(query.attribute)
        space_id = self.model_spaces.index(query.attribute or "image")
        inputs: dict[str, Any] = {
            "space_id": torch.tensor([space_id]),
            "photo_weights": torch.tensor([float(query.image_weight)] if query.image is not None else []),
            "terms_weights": torch.tensor([float(weight) for weight in query.terms.values()]),
        }
        if query.image is not None:
            photo = self.image_processor(load_photo(query.image), return_tensors="pt")
            inputs["photo"] = {name: photo[name] for name in IMAGE_INPUTS if name in photo}
        if query.terms:
            inputs["terms"] = list(query.terms)
        return inputs

    def embed(self, queries: Sequence[dict[str, Any]]) -> Tensor:
        """The weighted sum of each query's embeddings, which have length 1, with length 1 again.

        Args:
            queries (`Sequence[dict]`): what [`QueryEmbedder.prepare`] gave, on the model's device.

        Returns:
            `torch.Tensor` of shape `(B, d)`: float32.

        Raises:
            ValueError: a query's weights cancel out; its parts are named.
        """
        embeds, weights = [], []
        for part, embeds_of in (("photo", self._photo_embeds), ("terms", self._term_embeds)):
            having = [query for query in queries if part in query]
            if having:
                embeds.append(normalize(embeds_of(having).float(), dim=-1))  # (P, d)
                weights.append(torch.block_diag(*(query[f"{part}_weights"] for query in queries)))  # (B, P)
        weights = torch.cat(weights, dim=1)
        summed = weights @ torch.cat(embeds)  # (B, d)
        lost = summed.norm(dim=-1) <= 1e-5 * weights.abs().sum(dim=-1)
        if lost.any():
            query = queries[int(lost.nonzero()[0])]
            raise ValueError(
                f"the weights of a query cancel out, so that nothing is left to search by: change {_weighted(query)}"
            )
        return normalize(summed, dim=-1)

    def _photo_embeds(self, queries: Sequence[dict[str, Any]]) -> Tensor:
        """(P, d), a row for each photo."""
        inputs = {}
        for name in queries[0]["photo"]:
            value = _joined([query["photo"][name] for query in queries])
            inputs[name] = value.to(self.model.dtype) if value.is_floating_point() else value
        if not self.attribute_names:
            return self.model.get_image_features(**inputs).pooler_output
        attribute_ids = torch.cat([query["space_id"] for query in queries])
        return self.model.get_attribute_features(attribute_ids=attribute_ids, **inputs).squeeze(1)

    def _term_embeds(self, queries: Sequence[dict[str, Any]]) -> Tensor:
        """(P, d), a row for each term."""
        texts = [term for query in queries for term in query["terms"]]
        inputs = self.tokenizer(texts, padding=True, truncation=True, return_tensors="pt").to(self.model.device)
        names = ("input_ids", "attention_mask")
        return self.model.get_text_features(**{name: inputs[name] for name in names}).pooler_output


def load_photo(photo: Image.Image | str) -> Image.Image:
    """The photo of a query, in RGB.

    Args:
        photo (`PIL.Image.Image` or `str`): a photo, its path or URL.

    Raises:
        ValueError: it cannot be read.
    """
    try:
        return load_image(photo)
    except Exception as error:  # PIL raises SyntaxError and others on broken files, downloads have their own
        known = not isinstance(photo, str) or photo.startswith(PHOTO_BEGINNINGS) or os.path.exists(photo)
        reason = f"{type(error).__name__}: {error}" if known else "there is no such file"
        raise ValueError(f"the photo {str(photo)[:200]!r} cannot be read: {reason}") from error


def _weighted(query: dict[str, Any]) -> str:
    """The parts of a prepared query with their weights, for people."""
    parts = [("photo", weight) for weight in query["photo_weights"].tolist()]
    parts += zip(map(repr, query.get("terms", [])), query["terms_weights"].tolist(), strict=True)
    return ", ".join(f"{part} {weight:g}" for part, weight in parts)


def _joined(photos: Sequence[Tensor]) -> Tensor:
    """Tensors (1, ..., H, W) as one, padded at right and bottom to the largest, as image processors pad."""
    height, width = (max(photo.shape[side] for photo in photos) for side in (-2, -1))
    return torch.cat([pad(photo, (0, width - photo.shape[-1], 0, height - photo.shape[-2])) for photo in photos])
