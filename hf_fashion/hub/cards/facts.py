"""Keep what a card tells about a model in a file next to it: the run that trained it, its evaluations, its license."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence, Sized
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from ...data.column_map import ColumnMap
from ...data.corpus_report import CorpusReport
from ...data.loading import GENERATED
from ...files import write_json
from ...hub_ids import is_hub_id


FACTS_FILE = "card.json"
# Losses that are kept of a run, for its curves; all evaluations are.
_LOGGED = 200
_SEPARATOR = re.compile(r"[/\\]|^~")


@dataclass(frozen=True)
class CorpusFacts:
    """Describe the corpus of a run, without rows and without paths of this machine.

    Args:
        name (`str`): a Hub id, `"generated"`, or the name of a local file or folder.
        hub_id (`str`, *optional*): its id, if it was loaded from the Hub.
        rows (`dict[str, int]`, *optional*): split -> rows.
        columns (`dict`, *optional*): the column map: image, caption, tags, attributes.
        findings (`list[str]`, *optional*): what the check found: skipped photos, empty captions, leaks.
    """

    name: str
    hub_id: str | None = None
    rows: dict[str, int] = field(default_factory=dict)
    columns: dict[str, Any] = field(default_factory=dict)
    findings: list[str] = field(default_factory=list)

    @classmethod
    def of(
        cls,
        source: str,
        splits: Mapping[str, Sized],
        column_map: ColumnMap,
        used: Sequence[str],
        report: CorpusReport,
    ) -> CorpusFacts:
        """Return the facts of a corpus that was loaded and checked.

        Args:
            source (`str`): what was loaded.
            splits (`Mapping[str, Sized]`): name -> the rows that the run uses, which may be a part of the split.
            column_map (`ColumnMap`): its columns.
            used (`Sequence[str]`): what the run learns from: `caption`, `tags`, `attributes`.
            report (`CorpusReport`): of the check, of all rows.
        """
        findings = [f"{split}: {len(bad):,} unreadable photos were skipped" for split, bad in report.skipped.items()]
        findings += [f"{split}: {len(rows):,} rows have no caption" for split, rows in report.empty_captions.items()]
        findings += [f"leak: {leak}" for leak in report.leaks]
        columns = {name: getattr(column_map, name) for name in ("image", *used) if getattr(column_map, name)}
        rows = {name: len(split) for name, split in splits.items()}
        return cls(public_name(source), hub_id(source), rows, columns, findings)


@dataclass(frozen=True)
class RunFacts:
    """Describe the run that trained a model.

    Args:
        recipe (`dict`): as plain values, without paths.
        corpus (`CorpusFacts`, *optional*): what it learned from.
        update (`int`, *optional*, defaults to 0): updates after which the model was saved.
        history (`list[dict]`, *optional*): logged losses, and evaluations (`validation/...`), each with its `update`.
        parameters (`int`, *optional*, defaults to 0): of the model.
        hardware (`dict[str, Any]`, *optional*): device, processes, precision.
        seconds (`float`, *optional*, defaults to 0.0): of training and validation, those of stopped runs included.
        versions (`dict[str, str]`, *optional*): package -> version.
    """

    recipe: dict[str, Any]
    corpus: CorpusFacts | None = None
    update: int = 0
    history: list[dict[str, Any]] = field(default_factory=list)
    parameters: int = 0
    hardware: dict[str, Any] = field(default_factory=dict)
    seconds: float = 0.0
    versions: dict[str, str] = field(default_factory=dict)

    @property
    def metrics(self) -> dict[str, float]:
        """`dict[str, float]`: the last evaluation, that of the saved model."""
        evaluations = [entry for entry in self.history if _is_evaluation(entry)]
        last = evaluations[-1] if evaluations else {}
        return {name.removeprefix("validation/"): value for name, value in last.items() if name != "update"}


@dataclass(frozen=True)
class CardFacts:
    """Hold all that a card tells about a model and that its configuration does not.

    Args:
        run (`RunFacts`, *optional*): the run that trained it.
        license (`str`, *optional*): its license, as the Hub names it.
        language (`list[str]`, *optional*): codes of the languages of its texts.
        evaluations (`list[dict]`, *optional*): as `hf-fashion evaluate` writes them.
        baselines (`dict[str, dict]`, *optional*): name of another model -> its evaluation on the same data.
        name (`str`, *optional*): id or path that the card's code loads, if one was chosen.
    """

    run: RunFacts | None = None
    license: str | None = None
    language: list[str] = field(default_factory=list)
    evaluations: list[dict[str, Any]] = field(default_factory=list)
    baselines: dict[str, dict[str, Any]] = field(default_factory=dict)
    name: str | None = None

    @classmethod
    def read(cls, folder: Path) -> CardFacts:
        """Read the facts of a model's folder; where there are none, return empty ones.

        Args:
            folder (`Path`): of the model.

        Raises:
            ValueError: the file was not written by [`CardFacts.write`].
        """
        path = folder / FACTS_FILE
        if not path.is_file():
            return cls()
        try:
            values = json.loads(path.read_text(encoding="utf-8"))
            run = values.pop("run")
            if run is not None:
                corpus = run.pop("corpus")
                run = RunFacts(corpus=None if corpus is None else CorpusFacts(**corpus), **run)
            return cls(run=run, **values)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise ValueError(f"{path} does not hold the facts of a card ({error!r}): remove it") from error

    def write(self, folder: Path) -> None:
        """Write the facts into a model's folder.

        Args:
            folder (`Path`): of the model.
        """
        write_json(asdict(self), folder / FACTS_FILE)

    def with_run(self, run: RunFacts) -> CardFacts:
        """Return these facts with those of a run, which a page can hold: fewer losses, no paths.

        Args:
            run (`RunFacts`): the run.
        """
        return replace(self, run=replace(run, recipe=_public(run.recipe), history=_thinned(run.history)))


def hub_id(source: str | None) -> str | None:
    """Return a source if it is an id on the Hub, and not a path of this machine or the generated corpus.

    Args:
        source (`str`, *optional*): what a recipe names.
    """
    if not source or source == GENERATED or Path(source).expanduser().exists():
        return None
    return source if is_hub_id(source) else None


def public_name(source: str) -> str:
    """Return a source as a page shows it: an id as it is, of a path or an address its last part, or that above `best`
    or `last`.

    Args:
        source (`str`): a Hub id, a path, an address, or `"generated"`.
    """
    if hub_id(source):
        return source
    path = Path(source.partition("?")[0] if "://" in source else source)  # an address may hold a key
    return path.parent.name if path.name in ("best", "last") and path.parent.name else path.name


def _public(values: Any) -> Any:
    """Values without paths and addresses, which tell of the machine, its user and customers."""
    if isinstance(values, Mapping):
        return {name: _public(value) for name, value in values.items()}
    if isinstance(values, list):
        return [_public(value) for value in values]
    if not isinstance(values, str) or not _SEPARATOR.search(values) or hub_id(values):
        return values
    return f".../{public_name(values)}"  # which nobody can take for an id on the Hub


def _thinned(history: list[dict[str, Any]]) -> list[dict[str, Any]]:
    losses = [place for place, entry in enumerate(history) if not _is_evaluation(entry)]
    step = -(-len(losses) // _LOGGED) or 1
    kept = set(losses[::-1][::step])  # the last one is kept
    return [entry for place, entry in enumerate(history) if place in kept or _is_evaluation(entry)]


def _is_evaluation(entry: Mapping[str, Any]) -> bool:
    return any(name.startswith("validation/") for name in entry)
