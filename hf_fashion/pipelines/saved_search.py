"""Searches as JSON: the results and the query's vector, so that they are re-ranked without the embedding model."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from numbers import Real
from typing import Any

import torch
from torch import Tensor

from ..messages import shown
from ..retrieval.rerankers.reranking import Reranker, rerank
from ..retrieval.results import RetrievalResults
from .fashion_retrieval import FashionRetrievalPipeline
from .search_fashion_retrieval import read_vectors


LARGEST = torch.finfo(torch.float32).max
# Fields that a result may have, their types, and these in words.
OPTIONAL = {"score": (Real, "a number"), "initial_rank": (int, "a whole number"), "metadata": (dict, "an object")}


class SavedSearchPipeline(FashionRetrievalPipeline):
    """The pipeline, but of each query it returns a dict for [`rerank_search`]: `space`, the space of the query; its
    `vector`; the `fingerprint` of the model that embedded it; and `results`, as the pipeline returns them."""

    def postprocess(self, model_outputs: dict[str, Any]) -> dict[str, Any]:
        """Return the search of one query as a dict."""
        search = model_outputs["search"]
        return {
            "space": search["space"],
            "vector": search["vector"].tolist(),
            "results": super().postprocess(model_outputs),
            "fingerprint": self.finder.fingerprint,
        }


def read_searches(lines: Iterable[str]) -> dict[int, dict[str, Any]]:
    """Read searches, one JSON object a line, by the number of their line, from 1.

    Args:
        lines (`Iterable[str]`): lines of a file; empty ones are passed over.

    Raises:
        ValueError: a line is not a JSON object; has no `space`, no `results` with an `id` each, or neither `query_id`
            nor both `vector` and `fingerprint`; or has a value of another kind there.
    """
    searches = {}
    for number, line in enumerate(lines, 1):
        if line.strip():
            try:
                searches[number] = _checked(json.loads(line))
            except (ValueError, RecursionError) as error:
                raise ValueError(f"line {number} is not a search as `search --json` writes it: {error}") from error
    return searches


def rerank_search(
    search: Mapping[str, Any], gallery: Any, reranker: Reranker, num_candidates: int | None = None
) -> dict[str, Any]:
    """Re-rank the first results of a saved search.

    They are taken in the order of their initial ranks, so an earlier re-ranking does not count.

    Args:
        search (`Mapping`): a dict of [`SavedSearchPipeline`]. A `query_id`, the id of a product of the gallery, may
            replace `vector` and `fingerprint`.
        gallery ([`Gallery`]): the gallery that was searched.
        reranker (`Callable`): as [`Reranker`].
        num_candidates (`int`, *optional*): results that the re-ranker gets. Default: the number that an FR is made
            for, else all.

    Raises:
        ValueError: the gallery is of another model than the vector, does not have the space or a product, or has
            vectors of another dimension; the re-ranker takes fewer results, or does not give each a score; or a
            product is in the results twice.
    """
    saved = [{"initial_rank": rank, **result} for rank, result in enumerate(search["results"], 1)]
    saved.sort(key=lambda result: result["initial_rank"])
    if num_candidates is None:
        num_candidates = getattr(reranker, "num_candidates", len(saved))
    # A saved result may lack its score, and may have fields of its own: it travels whole, as the metadata.
    results = RetrievalResults([[result["id"] for result in saved]], torch.zeros(1, len(saved)), metadata=[saved])
    results = read_vectors(results, gallery, search["space"])
    reranked = rerank(results, _query_vector(search, gallery), reranker, num_candidates)
    return {**search, "results": [{**result, "rank": rank} for rank, result in enumerate(reranked.metadata[0], 1)]}


def _query_vector(search: Mapping[str, Any], gallery: Any) -> Tensor:
    """(1, d)"""
    if "query_id" in search:
        return gallery.vectors([search["query_id"]], search["space"])
    known = gallery.info()
    if search["fingerprint"] != known["fingerprint"]:
        raise ValueError(
            f"the query's vector is of {search['fingerprint']}, the gallery at {known['uri']} of "
            f"{known['fingerprint']}: give the gallery that was searched"
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
        raise ValueError(f"space, ids and fingerprint must be strings, got {shown(strange[0])}")
    if "vector" in asked and not _is_vector(search["vector"]):
        raise ValueError(f"its `vector` must be a list of finite numbers, got {shown(search['vector'])}")
    return search


def _check_results(results: Any) -> None:
    if not isinstance(results, list) or not all(isinstance(result, dict) and "id" in result for result in results):
        raise ValueError("its `results` must be a list of objects with an `id` each")
    for key, (kind, what) in OPTIONAL.items():
        strange = [one[key] for one in results if key in one and not isinstance(one[key], kind)]
        if strange:
            raise ValueError(f"the `{key}` of a result must be {what}, got {shown(strange[0])}")


def _is_vector(value: Any) -> bool:
    """Whether a value is a list of numbers that float32 holds."""
    return isinstance(value, list) and all(type(one) in (int, float) and abs(one) <= LARGEST for one in value)
