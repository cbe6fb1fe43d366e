"""Retrieval protocols: queries and candidates of every attribute, drawn or published."""

import zlib
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from .labels import AttributeLabels
from .published_labels import read_pairs
from .vocabulary import AttributeVocabulary


@dataclass(frozen=True, eq=False)
class RetrievalLists:
    """
    Queries and candidates of one attribute. A candidate is relevant if it carries the query's value.

    Args:
        query_rows (`torch.Tensor` of shape `(Q,)`): int64; rows of the split. An image is a query for each of its
            values.
        query_values (`torch.Tensor` of shape `(Q,)`): int64; the value that is searched for.
        candidate_rows (`torch.Tensor` of shape `(C,)`): int64; their order breaks ties.
        candidate_values (`torch.Tensor` of shape `(C,)` or `(C, V)`): int64, the value of each candidate; or bool,
            which of the V values it carries.
        own_places (`torch.Tensor` of shape `(Q,)`, *optional*): int64; index of each query among the candidates, where
            it does not count. `None` if no query is a candidate.
    """

    query_rows: Tensor
    query_values: Tensor
    candidate_rows: Tensor
    candidate_values: Tensor
    own_places: Tensor | None = None


def draw_protocol(
    labels: AttributeLabels, seed: int = 0, fold: int = 0, candidates_per_query: int = 4
) -> dict[str, RetrievalLists]:
    """
    Divide the labelled images of every attribute into queries and candidates at random, as the papers do (1:4).

    The division depends only on the seed, the attribute's name and the rows that are labelled for it. The order of the
    candidates is random too, so that ties favour no value.

    Args:
        labels (`AttributeLabels`): labels of a validation or test split.
        seed (`int`, *optional*, defaults to 0): seed of the division; not negative.
        fold (`int`, *optional*, defaults to 0): the part, of `candidates_per_query + 1`, whose images are the queries.
            Over all folds every image is a query once, which makes the metrics of a small split more stable.
        candidates_per_query (`int`, *optional*, defaults to 4): how many times more candidates than queries.

    Returns:
        `dict[str, RetrievalLists]`: attribute -> its lists, in the order of the vocabulary.

    Raises:
        ValueError: if `fold` is out of range, or an attribute has fewer labelled images than there are parts.
    """
    parts = candidates_per_query + 1
    if not 0 <= fold < parts:
        raise ValueError(f"`fold` must lie in 0 to {candidates_per_query}, got {fold}")
    protocol = {}
    for number, name in enumerate(labels.vocabulary.attribute_names):
        rows = labels.labelled[:, number].nonzero().flatten().numpy()
        if len(rows) < parts:
            raise ValueError(
                f"attribute {name!r}: {len(rows)} labelled images make no queries and candidates at 1:"
                f"{candidates_per_query}; label at least {parts}, or remove the attribute from the column map"
            )
        shuffled = np.random.default_rng([seed, zlib.crc32(name.encode())]).permutation(rows)
        by_part = np.array_split(shuffled, parts)
        queries = torch.from_numpy(by_part.pop(fold))
        candidates = torch.from_numpy(np.concatenate(by_part))
        protocol[name] = _lists(labels, number, queries, candidates)
    return protocol


def draw_folds(labels: AttributeLabels, seed: int = 0) -> list[dict[str, RetrievalLists]]:
    """
    Return every fold of one division into queries and candidates (1:4), so that each labelled image is a query once.

    Args:
        labels (`AttributeLabels`): labels of a validation or test split.
        seed (`int`, *optional*, defaults to 0): seed of the division.

    Raises:
        ValueError: as `draw_protocol`.
    """
    return [draw_protocol(labels, seed, fold) for fold in range(5)]


def all_against_all(labels: AttributeLabels) -> dict[str, RetrievalLists]:
    """
    Return lists in which every labelled image of an attribute is a query among all others, to train a re-ranker on.

    Args:
        labels (`AttributeLabels`): labels of photos that the embedding model has not seen.

    Returns:
        `dict[str, RetrievalLists]`: attribute -> its lists, for the attributes with at least two labelled images.
    """
    protocol = {}
    for number, name in enumerate(labels.vocabulary.attribute_names):
        rows = labels.labelled[:, number].nonzero().flatten()
        if len(rows) > 1:
            # In random order, so that ties favour no value.
            generator = np.random.default_rng([0, zlib.crc32(name.encode())])
            rows = torch.from_numpy(generator.permutation(rows.numpy()))
            lists = _lists(labels, number, rows, rows)
            places = torch.empty(len(labels.labelled), dtype=torch.long)
            places[rows] = torch.arange(len(rows))
            protocol[name] = replace(lists, own_places=places[lists.query_rows])
    return protocol


def read_protocol(
    queries: str | Path, candidates: str | Path, vocabulary: AttributeVocabulary, num_rows: int
) -> dict[str, RetrievalLists]:
    """
    Read published lists in their order: every line is one query or one candidate, even if an image has several.

    Args:
        queries (`str` or `Path`): `query_<split>.txt`, lines "index attribute value".
        candidates (`str` or `Path`): `candidate_<split>.txt`, with the same lines.
        vocabulary (`AttributeVocabulary`): attributes and values in the order of the files' numbers.
        num_rows (`int`): number of rows of the split.

    Returns:
        `dict[str, RetrievalLists]`: attribute -> its lists, for the attributes that have queries.

    Raises:
        ValueError: naming file and line, or the attribute that has queries and no candidates.
    """
    asked, offered = (read_pairs(path, num_rows, vocabulary.num_values, True) for path in (queries, candidates))
    protocol = {}
    for number, name in enumerate(vocabulary.attribute_names):
        of_query, of_candidate = (pairs[pairs[:, 1] == number] for pairs in (asked, offered))
        if len(of_query) and not len(of_candidate):
            raise ValueError(
                f"{queries} has queries for attribute {number} ({name!r}), and {candidates} no candidates"
            )
        if len(of_query):
            protocol[name] = RetrievalLists(of_query[:, 0], of_query[:, 2], of_candidate[:, 0], of_candidate[:, 2])
    return protocol


def _lists(labels: AttributeLabels, number: int, queries: Tensor, candidates: Tensor) -> RetrievalLists:
    carried = labels.of(number)
    places, values = carried[queries].nonzero(as_tuple=True)
    of_candidates = carried[candidates] if labels.is_multi_label else labels.value_ids[candidates, number]
    return RetrievalLists(queries[places], values, candidates, of_candidates)
