"""Make the metadata of a model's card: what the Hub filters by, and every evaluation result."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from huggingface_hub import ModelCardData

from .facts import CardFacts, RunFacts, hub_id
from .kinds import ZERO_SHOT, ModelKind
from .results import eval_results


WIDGET_FOLDER = "widget"
_PHOTOS = (".jpg", ".jpeg", ".png", ".webp")
_LABELS = ("dress", "shirt", "trousers", "skirt", "coat")


def card_metadata(
    name: str,
    kind: ModelKind,
    facts: CardFacts,
    evaluations: Sequence[Mapping[str, Any]],
    widget: Sequence[dict[str, str]] = (),
) -> ModelCardData:
    """Return the metadata of a card. What is not known, such as a license, is left out.

    Args:
        name (`str`): id or path of the model.
        kind (`ModelKind`): of the model.
        facts (`CardFacts`): of the model.
        evaluations (`Sequence[Mapping[str, Any]]`): of the model.
        widget (`Sequence[dict[str, str]]`, *optional*): from [`widget_examples`].
    """
    base = [name for name in starting_points(facts.run) if hub_id(name)] if facts.run else []
    corpus = facts.run.corpus if facts.run else None
    results = eval_results(evaluations)
    return ModelCardData(
        library_name="transformers",
        pipeline_tag=kind.pipeline_tag,
        license=facts.license,
        language=facts.language or None,
        base_model=base or None,
        base_model_relation="finetune" if base else None,
        datasets=[corpus.hub_id] if corpus and corpus.hub_id else None,
        tags=["hf_fashion", "fashion", *kind.tags],
        widget=list(widget) or None,
        model_name=Path(name).name if results else None,
        eval_results=results or None,
    )


def starting_points(run: RunFacts) -> list[str]:
    """Return the models that a run started from: ids on the Hub, and folders.

    Args:
        run (`RunFacts`): the run.
    """
    model = run.recipe.get("model", {})
    keys = ("start_from", "start_from_vision", "start_from_text", "backbone", "local_backbone")
    names = (model.get(key) for key in keys)
    return list(dict.fromkeys(name for name in names if name))


def widget_examples(folder: Path, kind: ModelKind) -> list[dict[str, str]]:
    """Return an example for the Hub's widget for each photo in the folder `widget` of a model.

    Args:
        folder (`Path`): of the model.
        kind (`ModelKind`): of the model; a zero-shot one gets labels to choose from.
    """
    photos = sorted(path for path in (folder / WIDGET_FOLDER).glob("*") if path.suffix.lower() in _PHOTOS)
    labels = {"candidate_labels": ", ".join(_LABELS)} if kind.pipeline_tag == ZERO_SHOT else {}
    return [
        {"src": f"{WIDGET_FOLDER}/{path.name}", "example_title": path.stem.replace("_", " "), **labels}
        for path in (photos if kind.pipeline_tag else [])
    ]
