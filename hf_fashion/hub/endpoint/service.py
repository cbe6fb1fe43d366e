"""Answers requests: classifies and embeds with the model of a folder, and searches the gallery that it names."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from pathlib import Path
from threading import Lock
from typing import Any

import torch
from transformers import pipeline

from ...embedding.capabilities import check_reads_text
from ...embedding.encoder import Encoder
from ...embedding.features import inference
from ...embedding.query_photos import PhotoSources
from .requests import EndpointRequest


SETTINGS = "endpoint.json"
NOWHERE = PhotoSources(paths=False, urls=False)
TEMPLATE = "This is a photo of {}."  # as transformers' pipeline for zero-shot classification has it

logger = logging.getLogger(__name__)


class EndpointService:
    """A model's answers to requests of strangers: no URL is fetched, no file opened, and sizes are bounded.

    One request is computed at a time, so that the memory of many is that of one; torch uses all cores for it.

    Args:
        folder (`Path`): of the model, with an `endpoint.json` that names gallery and re-ranker, if there are.

    Raises:
        OSError: the model, the gallery or the re-ranker cannot be loaded.
        ValueError: they do not fit each other.
        ImportError: there is a gallery, and hf_fashion or its database is not installed.
    """

    def __init__(self, folder: Path):
        settings = json.loads((folder / SETTINGS).read_text(encoding="utf-8"))
        self._search = _open_search(folder, **settings) if settings.get("gallery") else None
        # What a repository brings along is its own code: whoever starts the endpoint has chosen it.
        self._encoder = self._search.encoder if self._search else _load_encoder(folder)
        self._lock = Lock()

    def answer(self, data: Any) -> Any:
        """Answer a request: labels where `candidate_labels` are given, else results of the gallery, else embeddings.

        Args:
            data (`dict`): `inputs` and `parameters`.

        Raises:
            ValueError: the request is wrong.
            RuntimeError: any other error, which is logged.
        """
        try:
            request = EndpointRequest.read(data)
            with self._lock, inference(self._encoder.model):
                answers = list(self._answers(request))
            return json.loads(json.dumps(answers[0] if request.single else answers, default=str))
        except ValueError:
            raise
        except Exception as error:
            logger.exception("a request could not be answered")
            raise RuntimeError(
                f"the request could not be answered, by an error of the endpoint ({type(error).__name__}): its log "
                "has the details"
            ) from None

    def _answers(self, request: EndpointRequest) -> Iterator[Any]:
        """An answer for each query, whose photo is decoded when it is its turn."""
        parameters = dict(request.parameters)
        if "candidate_labels" in parameters:
            return self._classified(request.queries, **parameters)
        space = {name: parameters.pop(name, None) for name in ("attribute", "entity")}
        if self._search is not None:
            # A generator: a list would be prepared as a whole.
            return iter(self._search((query for query in request.queries), **space, **parameters))
        if parameters:
            raise ValueError(f"`{next(iter(parameters))}` is for a search, and this endpoint has no gallery")
        return (self._embed(query, **space).tolist() for query in request.queries)

    def _classified(
        self,
        queries: tuple[dict[str, Any], ...],
        candidate_labels: list[str],
        hypothesis_template: str = TEMPLATE,
        **others: Any,
    ) -> Iterator[list[dict[str, Any]]]:
        if others:
            raise ValueError(f"`{next(iter(others))}` and `candidate_labels` do not go together")
        check_reads_text(self._encoder.model, self._encoder.tokenizer, candidate_labels)
        texts = [self._embed({"text": hypothesis_template.format(label)}) for label in candidate_labels]
        scale = self._encoder.model.logit_scale.exp().cpu().float()
        for query in queries:
            scores = (scale * torch.stack(texts) @ self._embed(query)).softmax(0).tolist()  # (L,)
            found = [{"score": score, "label": label} for score, label in zip(scores, candidate_labels, strict=True)]
            yield sorted(found, key=lambda one: -one["score"])

    def _embed(self, query: dict[str, Any], **space: str | None) -> torch.Tensor:
        """(d,), of length 1"""
        prepared = self._encoder.prepare_query(query, sources=NOWHERE, **space)
        return self._encoder.embed_queries([prepared])[0].cpu()


def _load_encoder(folder: Path) -> Encoder:
    return Encoder.from_pretrained(folder, trust_remote_code=True)


def _open_search(folder: Path, gallery: str, reranker: str | None = None) -> Any:
    """The pipeline over a gallery, which lies in the folder or on the Hub."""
    try:
        from hf_fashion.embedding.saved_models import load_model
        from hf_fashion.retrieval.gallery import Gallery
    except ImportError as error:
        raise ImportError(
            "a search needs hf_fashion: the endpoint installs it where requirements.txt of the repository names "
            '"hf-fashion[gallery]"'
        ) from error
    model, processor = load_model(folder)
    return pipeline(
        "fashion-retrieval",
        model=model,
        processor=processor,
        gallery=Gallery.from_pretrained(_inside(folder, gallery)),
        reranker=reranker and _inside(folder, reranker),
        device=model.device,
        allow_paths=False,
        allow_urls=False,
    )


def _inside(folder: Path, name: str) -> str:
    """The path of a folder that is in the repository, or the name as it is."""
    return str(folder / name) if (folder / name).is_dir() else name
