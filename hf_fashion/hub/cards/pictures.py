"""Draw the pictures of a card: curves of the training, results of each tag or attribute."""

import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from PIL import Image

from ...reports.charts import MAX_SERIES, Curve, draw_bars, draw_curves
from .evaluations import compared
from .facts import RunFacts
from .kinds import ModelKind


FOLDER = "pictures"
CURVES, RESULTS = f"{FOLDER}/learning_curves.png", f"{FOLDER}/results.png"
# Part of an evaluation -> the metrics whose curves are drawn.
_CURVES = {
    "cross_modal": ("image_to_text_recall@1", "text_to_image_recall@1"),
    "retrieval": ("map", "map_chance"),
    "reranking": ("map", "initial_map"),
    "changes": ("combiner_recall", "start_recall"),
    "captions": ("token_probability",),
    "classification": ("accuracy",),
}
_NOT_LOSSES = ("update", "learning_rate")


def card_pictures(
    kind: ModelKind,
    run: RunFacts | None,
    evaluations: Sequence[Mapping[str, Any]],
    baselines: Mapping[str, Mapping[str, Any]],
) -> dict[str, Image.Image]:
    """Draw the pictures of a card: path in the repository -> picture. What was not measured is not drawn.

    Args:
        kind (`ModelKind`): of the model.
        run (`RunFacts`, *optional*): that trained it.
        evaluations (`Sequence[Mapping[str, Any]]`): of the model; the first one that names tags or attributes counts.
        baselines (`Mapping[str, Mapping[str, Any]]`): name -> evaluation of another model.
    """
    pictures = {}
    if plots := learning_curves(run, kind.part) if run else {}:
        pictures[CURVES] = draw_curves(plots, "updates")
    for evaluation in evaluations:
        title, rows = bars(kind.label, evaluation, baselines)
        if rows:
            return pictures | {RESULTS: draw_bars(rows, title)}
    return pictures


def save_pictures(pictures: Mapping[str, Image.Image], folder: Path) -> None:
    """Save pictures as PNG files, with few colours to keep them small.

    Args:
        pictures (`Mapping[str, PIL.Image.Image]`): from [`card_pictures`].
        folder (`Path`): of the model.
    """
    for name, picture in pictures.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        picture.quantize(64).save(path, optimize=True)


def learning_curves(run: RunFacts, part: str) -> dict[str, list[Curve]]:
    """Return the curves of a run: its losses, and what it validated; values that are not finite are left out.

    Args:
        run (`RunFacts`): the run.
        part (`str`): the part of an evaluation that it measured.
    """
    losses = dict.fromkeys(name for entry in run.history for name in entry if "/" not in name)
    names = [name for name in losses if name not in _NOT_LOSSES]
    plots = {}
    for start in range(0, len(names), MAX_SERIES):
        title = f"loss in training, part {start // MAX_SERIES + 1}" if start else "loss in training"
        plots[title] = [_curve(run, name, name) for name in names[start : start + MAX_SERIES]]
    plots["validation"] = [_curve(run, f"validation/{name}", name.replace("_", " ")) for name in _CURVES[part]]
    drawn = {title: [curve for curve in curves if curve.points] for title, curves in plots.items()}
    return {title: curves for title, curves in drawn.items() if curves}


def bars(
    label: str, evaluation: Mapping[str, Any], baselines: Mapping[str, Mapping[str, Any]]
) -> tuple[str, dict[str, dict[str, float]]]:
    """Return the title and the bars of an evaluation: tag or attribute -> series -> share. Empty where it has none.

    Args:
        label (`str`): what the model is called.
        evaluation (`Mapping[str, Any]`): of the model.
        baselines (`Mapping[str, Mapping[str, Any]]`): name -> evaluation; at most two that are comparable are drawn.
    """
    models = dict([(label, evaluation), *list(compared(evaluation, baselines).items())[:2]])
    if "tags" in evaluation:
        tags = {name: one["tags"] for name, one in models.items() if "tags" in one}
        return "Photos whose tag is named right", _rows(evaluation["entities"], dict(_tag_series(tags, label)))
    if "retrieval" in evaluation:
        metrics = {name: one["retrieval"] for name, one in models.items() if "retrieval" in one}
        series = {name: (found, "{}_map") for name, found in metrics.items()}
        series["chance"] = (evaluation["retrieval"], "{}_map_chance")
        return "Mean average precision of search by one attribute", _rows(evaluation["attributes"], series)
    if "reranking" in evaluation:
        found = evaluation["reranking"].get(label) or next(iter(evaluation["reranking"].values()))
        series = {"before": (found, "{}_initial_map"), "re-ranked": (found, "{}_map")}
        return "Mean average precision before and after re-ranking", _rows(evaluation.get("attributes", []), series)
    if "classification" in evaluation:
        series = {"accuracy": (evaluation["classification"], "{}_accuracy")}
        return "Accuracy by attribute", _rows(evaluation["attributes"], series)
    return "", {}


def _tag_series(tags: Mapping[str, Mapping[str, Any]], label: str) -> Iterator[tuple[str, tuple]]:
    for name, found in tags.items():
        yield f"{name}, photo", (found, "{}_image_accuracy")
    yield f"{label}, region", (tags[label], "{}_region_accuracy")
    yield "chance", (tags[label], "{}_majority_rate")


def _rows(names: Sequence[str], series: Mapping[str, tuple[Mapping[str, Any], str]]) -> dict[str, dict[str, float]]:
    rows = {}
    for row in names:
        values = {name: found.get(key.format(row)) for name, (found, key) in series.items()}
        values = {name: value for name, value in values.items() if value is not None and math.isfinite(value)}
        if values:
            rows[row] = values
    return rows


def _curve(run: RunFacts, key: str, name: str) -> Curve:
    points = [(entry["update"], entry[key]) for entry in run.history if key in entry and math.isfinite(entry[key])]
    return Curve(name, points)
