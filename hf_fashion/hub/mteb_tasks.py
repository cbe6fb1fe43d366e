"""Retrieval tasks of mteb from a local corpus: the queries, candidates and right answers of `hf-fashion evaluate`."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

import torch
from datasets import Dataset, Features, Image, Value
from torch import Tensor
from transformers import ProcessorMixin

from ..data.attributes.labels import read_labels
from ..data.attributes.protocol import RetrievalLists, draw_protocol
from ..data.attributes.vocabulary import with_attributes
from ..data.column_map import ColumnMap
from ..data.photos.stored_photos import StoredPhotos
from ..data.products import product_texts
from ..data.values import column_texts
from ..evaluation.cross_modal_candidates import choose_candidates
from ..metrics.attribute_map import relevance
from ..metrics.ranking import RECALL_KS


try:
    from mteb.abstasks import AbsTaskRetrieval
    from mteb.abstasks.task_metadata import TaskMetadata
except ImportError as error:
    raise ImportError("retrieval tasks are run by mteb: pip install 'hf-fashion[mteb]'") from error


SPLIT = "test"
# Ranks that are looked at for mean average precision; mteb keeps as many scores of each query in memory.
DEEPEST = 1000
KINDS = {"i": "image", "t": "text"}
# mteb asks for one; no metric depends on it.
LANGUAGES = ["eng-Latn"]


class CorpusTask(AbsTaskRetrieval):
    """A retrieval task over rows of a local corpus; [`cross_modal_tasks`] and [`attribute_tasks`] make such tasks."""

    rows: dict[str, Any]

    def load_data(self, num_proc: int | None = None, **options: Any) -> None:
        """Take the rows that the task was made of.

        Args:
            num_proc (`int`, *optional*): not needed, like the other options of mteb's call.
            options (`Any`): others.
        """
        self.dataset = {"default": {SPLIT: dict(self.rows)}}
        self.data_loaded = True


def cross_modal_tasks(
    dataset: Dataset,
    column_map: ColumnMap,
    name: str,
    pairing: str = "distinct_titles",
    processor: ProcessorMixin | None = None,
) -> list[CorpusTask]:
    """Return two tasks: find photos by descriptions, and descriptions by photos.

    Their `hit_rate_at_k` is the recall@k of `hf-fashion evaluate`, and `recall_at_k` its relevant recall@k, where it
    prints one; with one right answer each, all are equal. Candidates of equal scores are ordered by mteb in its own
    way, where `hf-fashion evaluate` gives the expectation over all orders.

    Args:
        dataset (`Dataset`): the split.
        column_map (`ColumnMap`): names the photo and the caption.
        name (`str`): of the corpus; the tasks are `{name}_t2i` and `{name}_i2t`.
        pairing (`str`, *optional*, defaults to `"distinct_titles"`): see [`choose_candidates`].
        processor (`ProcessorMixin`, *optional*): of a model that was trained with tags in front of the captions, which
            it composes.

    Raises:
        ValueError: the pairing is unknown, the map names no caption, or no row has one.
    """
    texts = product_texts(dataset, column_map, processor)
    chosen = choose_candidates(column_texts(dataset, column_map.caption), pairing)
    photos = _photos(dataset, column_map.image, chosen.image_rows)
    titles = Dataset.from_dict(
        {"id": [f"text {row}" for row in chosen.text_rows], "text": [texts[row] for row in chosen.text_rows]}
    )
    right = relevance(chosen.text_labels, chosen.image_labels)  # (T, I)
    scores = {"main_score": "hit_rate_at_1", "ks": RECALL_KS}
    return [
        _task(f"{name}_t2i", "t2i", titles, photos, right, **scores),
        _task(f"{name}_i2t", "i2t", photos, titles, right.T, **scores),
    ]


def attribute_tasks(
    dataset: Dataset, column_map: ColumnMap, name: str, attributes: Sequence[str] | None = None, seed: int = 0
) -> list[CorpusTask]:
    """Return a task for each attribute: find photos with the same value. Its prompt is the attribute's name.

    `map_at_k` of the largest k, which is the number of candidates, at most 1000, is the MAP of `hf-fashion evaluate`
    where there are no more, and every query has a right answer: mteb omits the others, which count as 0 there.

    Args:
        dataset (`Dataset`): the split.
        column_map (`ColumnMap`): names the photo and the attributes.
        name (`str`): of the corpus; the tasks are `{name}_{attribute}`.
        attributes (`Sequence[str]`, *optional*): attributes of the map. Default: all.
        seed (`int`, *optional*, defaults to 0): of the division into queries and candidates, 1:4.

    Raises:
        ValueError: the map lacks an attribute, or one has too few labelled photos.
    """
    labels = read_labels(dataset, with_attributes(column_map, None if attributes is None else list(attributes)))
    protocol = draw_protocol(labels, seed)
    return [_attribute_task(dataset, column_map, name, attribute, lists) for attribute, lists in protocol.items()]


def _attribute_task(
    dataset: Dataset, column_map: ColumnMap, name: str, attribute: str, lists: RetrievalLists
) -> CorpusTask:
    # A photo with several values is a query for each of them, so the row does not identify it.
    queries = _photos(dataset, column_map.image, lists.query_rows, "query")
    candidates = _photos(dataset, column_map.image, lists.candidate_rows)
    right = relevance(lists.query_values, lists.candidate_values)  # (Q, C)
    deepest = min(DEEPEST, len(candidates))
    ks = sorted({*(k for k in RECALL_KS if k < deepest), deepest})
    scores = {"main_score": f"map_at_{deepest}", "ks": ks}
    return _task(f"{name}_{attribute}", "i2i", queries, candidates, right, attribute, **scores)


def _photos(dataset: Dataset, column: str, rows: Tensor, kind: str = "photo") -> Dataset:
    """Photos as they are stored, the first of each row, with ids."""
    stored = StoredPhotos(dataset, column)
    return Dataset.from_dict(
        {
            "id": [f"{kind} {place}" for place in range(len(rows))],
            "image": [{"bytes": stored.encoded(row), "path": None} for row in rows.tolist()],
        },
        features=Features({"id": Value("string"), "image": Image()}),
    )


def _task(
    name: str,
    category: str,
    queries: Dataset,
    candidates: Dataset,
    right: Tensor,
    prompt: str | None = None,
    *,
    main_score: str,
    ks: Sequence[int],
) -> CorpusTask:
    """A task whose right answers are a bool matrix (Q, C)."""
    names = candidates["id"]
    answers = {
        query: {names[place]: 1 for place in row.nonzero().flatten().tolist()}
        for query, row in zip(queries["id"], right, strict=True)
    }
    metadata = TaskMetadata(
        name=name,
        description=f"Retrieval in a local corpus, {len(queries)} queries among {len(candidates)} candidates.",
        prompt=prompt,
        type="Any2AnyRetrieval",
        category=category,
        modalities=sorted({KINDS[letter] for letter in category if letter in KINDS}),
        eval_splits=[SPLIT],
        eval_langs=LANGUAGES,
        main_score=main_score,
        dataset={"path": name, "revision": _revision(queries, candidates, right)},
    )
    rows = {"queries": queries, "corpus": candidates, "relevant_docs": answers, "top_ranked": None}
    return type(name, (CorpusTask,), {"metadata": metadata, "k_values": tuple(ks), "rows": rows})()


def _revision(queries: Dataset, candidates: Dataset, right: Tensor) -> str:
    """A hash of all rows, by which mteb knows results of another state of the corpus."""
    digest = hashlib.sha256(right.to(torch.uint8).numpy().tobytes())
    for rows in (queries, candidates):
        for column in rows.with_format("arrow"):
            digest.update(repr(column.to_pylist()).encode())
    return digest.hexdigest()[:40]
