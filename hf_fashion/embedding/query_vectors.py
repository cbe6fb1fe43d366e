"""Queries -> vectors: the weighted sum of the embeddings of a query's photo and terms."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from transformers import BaseImageProcessor, PreTrainedModel, PreTrainedTokenizerBase

from .capabilities import attribute_names, check_attribute, check_entity, check_reads_text, space_names
from .features import (
    joined_inputs,
    photo_and_region_features,
    photo_features,
    photo_inputs,
    text_features,
    text_inputs,
    unit_length,
)
from .queries import FashionQuery
from .query_photos import ANYWHERE, PhotoSources


def prepare_query(
    query: FashionQuery,
    model: PreTrainedModel,
    image_processor: BaseImageProcessor,
    tokenizer: PreTrainedTokenizerBase | None,
    known: Sequence[str] | None = None,
    sources: PhotoSources = ANYWHERE,
) -> dict[str, Any]:
    """Return one query as the model's inputs, on the CPU. Terms stay strings: those of a batch are padded together.

    Args:
        query ([`FashionQuery`]): the query.
        model (`PreTrainedModel`): E2, CLIP or an attribute-specific model.
        image_processor (`BaseImageProcessor`): the model's.
        tokenizer (`PreTrainedTokenizerBase`, *optional*): the model's, where it reads text.
        known (`Sequence[str]`, *optional*): the spaces that are stored, where not all of the model's are.
        sources ([`PhotoSources`], *optional*): where a photo that is named is read from. Default: paths and URLs.

    Raises:
        ValueError: there are terms or a change and the model reads no text, the attribute or entity is wrong, or the
            photo cannot be read.
    """
    check_reads_text(model, tokenizer, [*query.terms, *filter(None, [query.change])])
    check_attribute(model, query.attribute, known)
    check_entity(model, query.entity, known)
    inputs: dict[str, Any] = {
        "space_id": torch.tensor([space_names(model).index(query.attribute or query.entity or "image")]),
        "photo_weights": torch.tensor([float(query.image_weight)] if query.image is not None else []),
        "terms_weights": torch.tensor([float(weight) for weight in query.terms.values()]),
    }
    if query.image is not None:
        inputs["photo"] = photo_inputs(image_processor, [sources.open(query.image)])
    if query.terms:
        inputs["terms"] = list(query.terms)
    if query.change is not None:
        inputs["change"] = query.change
    return inputs


def embed_queries(
    queries: Sequence[dict[str, Any]], model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase | None
) -> Tensor:
    """Embed queries: each the weighted sum of its embeddings, which have length 1, with length 1 again.

    Args:
        queries (`Sequence[dict]`): B queries from [`prepare_query`].
        model (`PreTrainedModel`): the same model.
        tokenizer (`PreTrainedTokenizerBase`, *optional*): the same tokenizer.

    Returns:
        `torch.Tensor` of shape `(B, d)`: float32, on the model's device.

    Raises:
        ValueError: a query's weights cancel out; its parts are named. Or a query has a `change`.
    """
    if any("change" in query for query in queries):
        raise ValueError("a `change` is read against the tags of a gallery: search by it with the pipeline")
    embeds, weights = [], []
    photos = [query for query in queries if "photo" in query]
    if photos:
        embeds.append(_photo_embeds(photos, model))  # (P, d)
        weights.append(_weights(queries, "photo"))  # (B, P)
    terms = [term for query in queries for term in query.get("terms", [])]
    if terms:
        embeds.append(unit_length(text_features(model, text_inputs(model, tokenizer, terms))))  # (T, d)
        weights.append(_weights(queries, "terms"))  # (B, T)
    return _weighted_sums(torch.cat(embeds), torch.cat(weights, dim=1), queries)


def _photo_embeds(queries: Sequence[dict[str, Any]], model: PreTrainedModel) -> Tensor:
    """(P, d), a row for each photo."""
    inputs = joined_inputs([query["photo"] for query in queries])
    space_ids = torch.cat([query["space_id"] for query in queries])  # (P,)
    if attribute_names(model) or not space_ids.any():
        return unit_length(photo_features(model, inputs, space_ids).flatten(1))
    return unit_length(photo_and_region_features(model, inputs)[torch.arange(len(queries)), space_ids])


def _weights(queries: Sequence[dict[str, Any]], part: str) -> Tensor:
    """(B, P): the weight of each of the P photos or terms in the query that it belongs to, 0 in the others."""
    return torch.block_diag(*(query[f"{part}_weights"] for query in queries))


def _weighted_sums(embeds: Tensor, weights: Tensor, queries: Sequence[dict[str, Any]]) -> Tensor:
    """(P, d) and (B, P) -> (B, d), of length 1."""
    sums = weights.to(embeds.device) @ embeds
    lost = sums.norm(dim=-1) <= 1e-5 * weights.abs().sum(dim=-1).to(embeds.device)
    if lost.any():
        query = queries[int(lost.nonzero()[0])]
        raise ValueError(
            f"the weights of a query cancel out, so that nothing is left to search by: change {_parts(query)}"
        )
    return unit_length(sums)


def _parts(query: dict[str, Any]) -> str:
    """The parts of a prepared query with their weights, for people."""
    parts = [("photo", weight) for weight in query["photo_weights"].tolist()]
    parts += zip(map(repr, query.get("terms", [])), query["terms_weights"].tolist(), strict=True)
    return ", ".join(f"{part} {weight:g}" for part, weight in parts)
