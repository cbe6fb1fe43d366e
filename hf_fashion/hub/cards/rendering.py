"""Fill the template of a model's kind: facts, tables and pictures -> the text of its card."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from transformers import AutoConfig

from ...cards.markdown import code, escaped, quoted
from ...models.e2.texts_e2 import num_positions
from .bias import bias_notes
from .evaluations import compared
from .facts import CardFacts, hub_id, public_name
from .kinds import ModelKind
from .metadata import starting_points
from .pictures import CURVES, RESULTS
from .tables import result_tables


TEMPLATES = Path(__file__).parent / "templates"


def render_text(
    name: str,
    kind: ModelKind,
    config: Mapping[str, Any],
    facts: CardFacts,
    evaluations: Sequence[Mapping[str, Any]],
    pictures: Sequence[str],
) -> str:
    """Return the text of a card in Markdown, without marks and metadata.

    Args:
        name (`str`): id or path to load the model by.
        kind (`ModelKind`): of the model.
        config (`Mapping[str, Any]`): its configuration.
        facts (`CardFacts`): of the model.
        evaluations (`Sequence[Mapping[str, Any]]`): those to show.
        pictures (`Sequence[str]`): their paths in the repository.
    """
    run = facts.run
    return (
        _environment()
        .get_template(kind.template)
        .render(
            name=name,
            kind=kind,
            config=config,
            run=run,
            recipe=_recipe(run.recipe) if run else "",
            embedder=_embedder(run.recipe) if run else None,
            starts=list(map(public_name, starting_points(run))) if run else [],
            duration=_duration(run.seconds) if run else "",
            evaluations=[
                (one, result_tables(kind.label, one, facts.baselines), list(compared(one, facts.baselines)))
                for one in evaluations
            ],
            curves=CURVES if CURVES in pictures else None,
            results_picture=RESULTS if RESULTS in pictures else None,
            text_length=_text_length(config),
            bias=bias_notes(run.corpus if run else None),
        )
    )


@lru_cache(maxsize=1)
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES), undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {"code": lambda value: code(str(value)), "plain": escaped, "quoted": quoted}
    return environment


def _text_length(config: Mapping[str, Any]) -> int | None:
    """Tokens that a text tower has positions for; `None` without one, or where it reads any number."""
    fields = dict(config.get("text_config") or {})
    return num_positions(AutoConfig.for_model(fields.pop("model_type"), **fields)) if fields else None


def _recipe(recipe: Mapping[str, Any]) -> str:
    """YAML for a fence of code, which a line of it must not end."""
    return yaml.safe_dump(dict(recipe), sort_keys=False, allow_unicode=True, width=100).replace("```", "'''").strip()


def _embedder(recipe: Mapping[str, Any]) -> dict[str, Any] | None:
    """Name of the model whose searches an FR re-ranks, and its id if it is on the Hub."""
    source = recipe.get("model", {}).get("embedder")
    return {"name": public_name(source), "hub_id": hub_id(source)} if source else None


def _duration(seconds: float) -> str:
    minutes = round(seconds / 60)
    return (
        f"{minutes // 60} h {minutes % 60:02} min"
        if minutes >= 60
        else f"{minutes} min"
        if minutes
        else f"{seconds:.0f} s"
    )
