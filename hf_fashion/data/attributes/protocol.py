"""Who is searched with and among whom: queries and candidates of every attribute."""

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
    Queries and candidates of one attribute. A candidate is right if it carries the query's value.

    Args:
        query_rows (`torch.Tensor` of shape `(Q,)`): int64; rows of the split. An image is a query for each of its
            values.
        query_values (`torch.Tensor` of shape `(Q,)`): int64; the value that is searched for.
        candidate_rows (`torch.Tensor` of shape `(C,)`): int64; their order breaks ties.
        candidate_values (`torch.Tensor` of shape `(C,)` or `(C, V)`): int64, the value of each candidate; or bool,
            which of the V values it carries.
        own_places (`torch.Tensor` of shape `(Q,)`, *optional*): int64; places among the candidates at which the
            queries themselves stand and do not count. `None` where queries and candidates were divided.
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
    Divides the labelled images of every attribute into queries and candidates at random, as the papers do (1:4).

    Which images these are depends on the seed, the attribute's name and which rows are labelled for it, on nothing
    else. The order of the candidates is random too, so that ties favour no value.

    Args:
        labels (`AttributeLabels`): of a validation or test split.
        seed (`int`, *optional*, defaults to 0): of the division; not negative.
        fold (`int`, *optional*, defaults to 0): which of the `candidates_per_query + 1` parts asks the others. Over
            all folds every image is a query once, which steadies the figures of a small split.
        candidates_per_query (`int`, *optional*, defaults to 4): how many times more candidates than queries.

    Returns:
        Attribute -> its lists, in the order of the vocabulary.

    Raises:
        ValueError: if `fold` is no fold, or an attribute has fewer labelled images than there are parts.
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
                f"{candidates_per_query}; {parts} are needed, or leave it out of the column map"
            )
        shuffled = np.random.default_rng([seed, zlib.crc32(name.encode())]).permutation(rows)
        by_part = np.array_split(shuffled, parts)
        queries = torch.from_numpy(by_part.pop(fold))
        candidates = torch.from_numpy(np.concatenate(by_part))
        protocol[name] = _lists(labels, number, queries, candidates)
    return protocol


def draw_folds(labels: AttributeLabels, seed: int = 0) -> list[dict[str, RetrievalLists]]:
    """
    Every fold of one division into queries and candidates (1:4), so that each labelled image asks once.

    Args:
        labels (`AttributeLabels`): of a validation or test split.
        seed (`int`, *optional*, defaults to 0): of the division.

    Raises:
        ValueError: as `draw_protocol`.
    """
    return [draw_protocol(labels, seed, fold) for fold in range(5)]


def all_against_all(labels: AttributeLabels) -> dict[str, RetrievalLists]:
    """
    Every labelled image of an attribute asks all the others, as lists for a re-ranker to learn from.

    Args:
        labels (`AttributeLabels`): of photos that the embedding model has not seen.

    Returns:
        Attribute -> its lists, for the attributes of which two images are labelled at least.
    """
    protocol = {}
    for number, name in enumerate(labels.vocabulary.attribute_names):
        rows = labels.labelled[:, number].nonzero().flatten()
        if len(rows) > 1:
            # In an order that knows nothing of values, as it breaks ties.
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
    Published lists, in their order: every line is one query or one candidate, also where an image has several.

    Args:
        queries (`str` or `Path`): `query_<split>.txt`, lines "index attribute value".
        candidates (`str` or `Path`): `candidate_<split>.txt`, the same.
        vocabulary (`AttributeVocabulary`): attributes and values in the order that the files count in.
        num_rows (`int`): rows of the split.

    Returns:
        Attribute -> its lists, for the attributes that have queries.

    Raises:
        ValueError: naming file and line; or the attribute that has queries and no candidates.
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
