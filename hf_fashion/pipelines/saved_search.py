"""Searches as JSON: what was found, and the query's vector, so that re-ranking needs no embedding model."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from numbers import Real
from typing import Any

import torch
from torch import Tensor

from .fashion_retrieval import FashionRetrievalPipeline
from .rerankers_fashion_retrieval import Reranker
from .results_fashion_retrieval import numbered, rerank_lists


LARGEST = torch.finfo(torch.float32).max
# What a result may have, its type, and that in words.
OPTIONAL = {"score": (Real, "a number"), "initial_rank": (int, "a whole number"), "metadata": (dict, "an object")}


class SavedSearchPipeline(FashionRetrievalPipeline):
    """The pipeline, but of a query it returns what [`rerank_search`] needs: the `space` it was compared in; its
    `vector`, and the `fingerprint` of the model that gave it; the `results`, as the pipeline returns them."""

    def postprocess(self, model_outputs: dict[str, Any]) -> dict[str, Any]:
        """What is kept of one query."""
        search = model_outputs["search"]
        fingerprint = self.finder.gallery.info()["fingerprint"]
        return {**search, "vector": search["vector"].tolist(), "fingerprint": fingerprint}


def read_searches(lines: Iterable[str]) -> list[dict[str, Any]]:
    """Reads searches, one JSON object a line.

    Args:
        lines (`Iterable[str]`): of a file; empty ones are passed over.

    Raises:
        ValueError: a line is no JSON object, lacks `space`, `results` with an `id` each, or both `vector` with
            `fingerprint` and `query_id`, or has a value of another kind there.
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
    gallery: Any,
    reranker: Reranker,
    num_rerank: int | None = None,
) -> dict[str, Any]:
    """The search with its first results in the order that a re-ranker gives them.

    They are taken in the order of their initial ranks, so a re-ranking that was made before does not count.

    Args:
        search (`Mapping`): of [`SavedSearchPipeline`]; a `query_id`, a product of the gallery, may stand in place of
            `vector` and `fingerprint`.
        gallery ([`Gallery`]): which was searched.
        reranker (`Callable`): as in [`Reranker`].
        num_rerank (`int`, *optional*): how many results it gets. Default: as many as an FR is made for, else all.

    Raises:
        ValueError: the gallery is of another model than the vector, has no such space, vectors of another dimension,
            or has lost a product; or the re-ranker takes fewer results, or does not give each a score.
    """
    results = [{"initial_rank": place, **result} for place, result in enumerate(search["results"], 1)]
    results.sort(key=lambda result: result["initial_rank"])
    number = getattr(reranker, "num_candidates", len(results)) if num_rerank is None else num_rerank
    (ordered,) = rerank_lists(reranker, _query_vector(search, gallery), [results], gallery, search["space"], number)
    return {**search, "results": numbered(ordered, "rank")}


def _query_vector(search: Mapping[str, Any], gallery: Any) -> Tensor:
    """(1, d)"""
    if "query_id" in search:
        return gallery.vectors([search["query_id"]], search["space"])
    known = gallery.info()
    if search["fingerprint"] != known["fingerprint"]:
        raise ValueError(
            f"the query's vector is of {search['fingerprint']}, the gallery at {known['uri']} of "
            f"{known['fingerprint']}: name the gallery that was searched"
        )
    vector, dimension = search["vector"], known["spaces"].get(search["space"])
    if dimension not in (len(vector), None):
        raise ValueError(
            f"the query's vector has {len(vector)} numbers, those of {search['space']!r} have {dimension}"
        )
    return torch.tensor([vector], dtype=torch.float32)


def _checked(search: Any) -> dict[str, Any]:
    if not isinstance(search, dict):
        raise ValueError(f"expected an object, got {type(search).__name__}")
    asked = ["query_id"] if "query_id" in search else ["vector", "fingerprint"]
    missing = [key for key in ("space", "results", *asked) if key not in search]
    if missing:
        raise ValueError(f"it has no {missing[0]!r}, only {', '.join(search)}")
    results = search["results"]
    _check_results(results)
    texts = [search["space"], *(search[key] for key in asked if key != "vector"), *(one["id"] for one in results)]
    strange = [text for text in texts if not isinstance(text, str)]
    if strange:
        raise ValueError(f"space, ids and fingerprint must be strings, got {strange[0]!r}")
    if "vector" in asked and not _is_vector(search["vector"]):
        raise ValueError(f"its `vector` must be a list of finite numbers, got {str(search['vector'])[:100]}")
    return search


def _check_results(results: Any) -> None:
    if not isinstance(results, list) or not all(isinstance(result, dict) and "id" in result for result in results):
        raise ValueError("its `results` must be a list of objects with an `id` each")
    for key, (kind, what) in OPTIONAL.items():
        strange = [one[key] for one in results if key in one and not isinstance(one[key], kind)]
        if strange:
            raise ValueError(f"the `{key}` of a result must be {what}, got {strange[0]!r}")


def _is_vector(value: Any) -> bool:
    """Whether these are numbers that float32 holds."""
    return isinstance(value, list) and all(type(one) in (int, float) and abs(one) <= LARGEST for one in value)
