"""Read evaluations for a card: that of the training, and those of `hf-fashion evaluate`."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain, count
from pathlib import Path
from typing import Any

from .facts import CardFacts, RunFacts, hub_id, public_name
from .kinds import ModelKind


# What an evaluation may have measured -> how it is called.
PARTS = {
    "cross_modal": "Search by text and by photo",
    "tags": "Tags, zero-shot, and photos by tag",
    "linear_probe": "Linear probe",
    "localisation": "Selected patches and true boxes",
    "retrieval": "Search by one attribute",
    "pointing": "Peak of the attention and true boxes",
    "reranking": "Re-ranking",
    "changes": "Search by a photo and what to change in it",
    "fashion_iq": "Fashion-IQ: search by a photo and what to change in it",
    "captions": "Captions",
    "said_tags": "Tags that captions name",
    "classification": "Values of attributes",
}
# Part that the training of an FR or a combiner measures -> the parts that are not of the embedding model.
_OWN_PARTS = {"reranking": {"reranking"}, "changes": {"changes", "fashion_iq"}}
# Columns next to those of the models.
_COLUMNS = ("chance", "ceiling", "most frequent")
# Parts whose tables have a column for each model.
COMPARED = ("cross_modal", "tags", "retrieval")
# What two evaluations must have in common to be compared.
_SAME = ("corpus", "split", "seed", "attributes")
_SAME_CANDIDATES = ("pairing", "protocol", "num_images", "num_texts")


def card_evaluations(facts: CardFacts, kind: ModelKind) -> list[dict[str, Any]]:
    """Return the evaluations that a card shows: those that were added, or else that of the training.

    On the card of an FR or a combiner they are without what was measured of the embedding model.

    Args:
        facts (`CardFacts`): of the model.
        kind (`ModelKind`): of the model.
    """
    if facts.evaluations or facts.run is None or not facts.run.metrics:
        others = PARTS.keys() - _OWN_PARTS.get(kind.part, PARTS)
        return [{key: value for key, value in one.items() if key not in others} for one in facts.evaluations]
    return [training_evaluation(facts.run, kind)]


def training_evaluation(run: RunFacts, kind: ModelKind) -> dict[str, Any]:
    """Return the last evaluation of a training in the form of `hf-fashion evaluate`.

    Args:
        run (`RunFacts`): with an evaluation in its history.
        kind (`ModelKind`): of the model.
    """
    measured: dict[str, Any] = dict(run.metrics)
    names = [name.removesuffix(end) for end in ("_map", "_accuracy") for name in measured if name.endswith(end)]
    attributes = [name for name in names if name not in ("mean_attribute", "initial") and "initial_map" not in name]
    if kind.part == "reranking":
        attributes = [name for name in attributes if f"{name}_initial_map" in measured]
        measured = {kind.label: measured}
    corpus = run.corpus.name if run.corpus else "the corpus of the training"
    return {"corpus": corpus, "split": "validation", "attributes": attributes, kind.part: measured}


def read_evaluations(paths: Sequence[Path]) -> list[dict[str, Any]]:
    """Read what `hf-fashion evaluate --output` wrote, without paths of this machine.

    Args:
        paths (`Sequence[Path]`): JSON files.

    Raises:
        FileNotFoundError: a file is missing.
        ValueError: a file holds something else.
    """
    return [_read(path) for path in paths]


def check_names(label: str, baselines: Iterable[str]) -> None:
    """Raise `ValueError` where a baseline has the name of another column of the tables.

    Args:
        label (`str`): what the model is called.
        baselines (`Iterable[str]`): names of other models.
    """
    taken = {name.casefold() for name in (label, *_COLUMNS)}
    for name in baselines:
        if name.strip().casefold() in taken:
            raise ValueError(
                f"a baseline cannot be called {name!r}: the tables call the model {label!r}, and other columns "
                f"{', '.join(map(repr, _COLUMNS))}. Choose another name, such as {f'baseline {name.strip()}'!r}"
            )


def check_baselines(evaluations: Sequence[Mapping[str, Any]], baselines: Mapping[str, Mapping[str, Any]]) -> None:
    """Raise `ValueError` unless each baseline was evaluated as the model was: same data, candidates and attributes;
    and what a table compares was measured of both.

    Args:
        evaluations (`Sequence[Mapping[str, Any]]`): of the model.
        baselines (`Mapping[str, Mapping[str, Any]]`): name -> evaluation.
    """
    for name, baseline in baselines.items():
        differences = [list(_differences(evaluation, baseline)) for evaluation in evaluations]
        if not differences:
            raise ValueError(f"the baseline {name!r} needs an evaluation of the model to be compared with")
        if all(differences):
            raise ValueError(f"the baseline {name!r} was evaluated otherwise: {'; '.join(differences[0])}")
        if not any(compared(evaluation, {name: baseline}) for evaluation in evaluations):
            raise ValueError(
                f"no table would show the baseline {name!r}: models are compared in "
                f"{', '.join(repr(PARTS[part]) for part in COMPARED)}, of which model and baseline must share one"
            )


def compared(
    evaluation: Mapping[str, Any], baselines: Mapping[str, Mapping[str, Any]]
) -> dict[str, Mapping[str, Any]]:
    """Return the baselines that have a column in a table of an evaluation.

    Args:
        evaluation (`Mapping[str, Any]`): of the model.
        baselines (`Mapping[str, Mapping[str, Any]]`): name -> evaluation.
    """
    parts = evaluation.keys() & COMPARED
    return {
        name: one for name, one in baselines.items() if parts & one.keys() and not any(_differences(evaluation, one))
    }


def _differences(one: Mapping[str, Any], other: Mapping[str, Any]) -> Iterator[str]:
    pairs = [(name, one.get(name), other.get(name)) for name in _SAME]
    pairs += [(name, *(part.get("cross_modal", {}).get(name) for part in (one, other))) for name in _SAME_CANDIDATES]
    for name, mine, theirs in pairs:
        if mine != theirs:
            yield f"{name} {theirs!r}, and the model's {mine!r}"


def _read(path: Path) -> dict[str, Any]:
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{path} is not JSON: {error}") from error
    if not isinstance(values, dict) or "corpus" not in values or "split" not in values or not PARTS.keys() & values:
        raise ValueError(f"{path} is no evaluation: write one with `hf-fashion evaluate --output {path.name}`")
    values = {"hub_id": hub_id(values["corpus"]), **values, "corpus": public_name(values["corpus"])}
    if "model" in values:
        values["model"] = public_name(values["model"])
    if "reranking" in values:
        values["reranking"] = _publicly_named(values["reranking"])
    return values


def _publicly_named(rerankers: Mapping[str, Any]) -> dict[str, Any]:
    """Re-rankers by the last part of their paths; those that share it are numbered."""
    named: dict[str, Any] = {}
    for path, found in rerankers.items():
        name = public_name(path)
        numbered = (f"{name} ({number})" for number in count(2))
        named[next(one for one in chain([name], numbered) if one not in named)] = found
    return named
