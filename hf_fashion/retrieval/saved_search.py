"""Searches as JSON: what was found, and the query's vector, so that re-ranking needs no embedding model."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from numbers import Real
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor


if TYPE_CHECKING:
    from ..pipelines.fashion_retrieval import FashionRetrievalPipeline
    from .gallery import Gallery


def search_to_keep(pipeline: FashionRetrievalPipeline, query: Mapping[str, Any], **options: Any) -> dict[str, Any]:
    """Searches by one query and keeps what [`rerank_search`] needs.

    Args:
        pipeline (`FashionRetrievalPipeline`): what searches.
        query (`Mapping`): a query that JSON can hold: photos by their paths.
        options (`Any`): those of the pipeline's call.

    Returns:
        `dict`: the `query`; the `space` it was compared in; its `vector`, and the `fingerprint` of the model that
        gave it; the `results`, as the pipeline returns them.

    Raises:
        ValueError: the query or an option is not as the pipeline wants it.
    """
    preprocessing, _, postprocessing = pipeline._sanitize_parameters(**options)
    preprocessing = {**pipeline._preprocess_params, **preprocessing}  # the pipeline's own defaults, as in its call
    postprocessing = {**pipeline._postprocess_params, **postprocessing}
    outputs = pipeline.forward(pipeline.preprocess(dict(query), **preprocessing))
    return {
        "query": dict(query),
        "space": pipeline.embedder.model_spaces[outputs["space_ids"].item()],
        "vector": outputs["query_embeds"][0].tolist(),
        "fingerprint": pipeline.gallery_search.gallery.info()["fingerprint"],
        "results": pipeline.postprocess(outputs, **postprocessing),
    }


def read_searches(lines: Iterable[str]) -> list[dict[str, Any]]:
    """Reads searches, one JSON object a line.

    Args:
        lines (`Iterable[str]`): of a file; empty ones are passed over.

    Raises:
        ValueError: a line is no JSON object, or lacks `space`, `results` with an `id` each, or both `vector` with
            `fingerprint` and `query_id`.
    """
    searches = []
    for number, line in enumerate(lines, 1):
        if line.strip():
            try:
                searches.append(_checked(json.loads(line)))
            except ValueError as error:
                raise ValueError(f"line {number} is no search as `search --json` writes them: {error}") from error
    return searches


def rerank_search(
    search: Mapping[str, Any],
    gallery: Gallery,
    reranker: Callable[[Tensor, Tensor, Tensor], Tensor],
    num_rerank: int | None = None,
) -> dict[str, Any]:
    """The search with its first results in the order that a re-ranker gives them.

    They are taken in the order of their initial ranks, so a re-ranking that was made before does not count.

    Args:
        search (`Mapping`): of [`search_to_keep`]; in place of `vector` and `fingerprint` it may have a `query_id`, a
            product of the gallery.
        gallery ([`Gallery`]): which was searched.
        reranker (`Callable`): `(query_embeds (Q, d), candidate_embeds (Q, k, d), candidate_mask (Q, k)) -> scores (Q,
            k)`.
        num_rerank (`int`, *optional*): how many results it gets. Default: as many as an FR is made for, else all.

    Raises:
        ValueError: the gallery is of another model than the vector, has no such space or has lost a product; or the
            re-ranker takes fewer results.
    """
    results = [{"initial_rank": place, **result} for place, result in enumerate(search["results"], 1)]
    results.sort(key=lambda result: result["initial_rank"])
    number = getattr(reranker, "num_candidates", len(results)) if num_rerank is None else num_rerank
    first = results[:number]
    if first:
        embeds = gallery.vectors([result["id"] for result in first], search["space"])[None]  # (1, k, d)
        scores = reranker(_query_vector(search, gallery), embeds, torch.ones(embeds.shape[:2], dtype=torch.bool))
        first = [first[place] for place in scores[0].argsort(descending=True, stable=True).tolist()]
    ordered = [*first, *results[number:]]
    return {**search, "results": [{**result, "rank": place} for place, result in enumerate(ordered, 1)]}


def _query_vector(search: Mapping[str, Any], gallery: Gallery) -> Tensor:
    """(1, d)"""
    if "query_id" in search:
        return gallery.vectors([search["query_id"]], search["space"])
    known = gallery.info()
    if search["fingerprint"] != known["fingerprint"]:
        raise ValueError(
            f"the query's vector is of {search['fingerprint']}, the gallery at {known['uri']} of "
            f"{known['fingerprint']}: name the gallery that was searched"
        )
    return torch.tensor([search["vector"]])


def _checked(search: Any) -> dict[str, Any]:
    if not isinstance(search, dict):
        raise ValueError(f"expected an object, got {type(search).__name__}")
    asked = ["query_id"] if "query_id" in search else ["vector", "fingerprint"]
    missing = [key for key in ("space", "results", *asked) if key not in search]
    if missing:
        raise ValueError(f"it has no {missing[0]!r}, only {', '.join(search)}")
    results = search["results"]
    if not isinstance(results, list) or not all(isinstance(result, dict) and "id" in result for result in results):
        raise ValueError("its `results` must be a list of objects with an `id` each")
    texts = [search["space"], *(search[key] for key in asked if key != "vector"), *(one["id"] for one in results)]
    strange = [text for text in texts if not isinstance(text, str)]
    if strange:
        raise ValueError(f"space, ids and fingerprint must be strings, got {strange[0]!r}")
    if not all(isinstance(one.get("score", 0.0), Real) for one in results):
        raise ValueError("the `score` of a result must be a number")
    return search
