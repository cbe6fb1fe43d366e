"""Make the tables of a card's results: a column a model, ceilings or chance next to them."""

from collections.abc import Mapping, Sequence
from typing import Any

from ...cards.markdown import escaped
from ...reports.e2_report import recall_comparison, tag_comparison
from ...reports.tables import (
    LOCALISATION_COLUMNS,
    POINTING_COLUMNS,
    PROBE_COLUMNS,
    Cells,
    attribute_cells,
    caption_cells,
    cell,
    change_cells,
    entity_cells,
    left_out,
    recall_cells,
    reranking_cells,
    said_tag_cells,
    table,
)
from .evaluations import COMPARED, PARTS, compared


Metrics = Mapping[str, Any]


def result_tables(label: str, evaluation: Metrics, baselines: Mapping[str, Metrics]) -> dict[str, str]:
    """Return the tables of an evaluation in Markdown: title -> table.

    Args:
        label (`str`): what the model is called.
        evaluation (`Mapping[str, Any]`): as `hf-fashion evaluate` writes it.
        baselines (`Mapping[str, Mapping[str, Any]]`): name -> evaluation; those on other data are left out.
    """
    models = {label: evaluation} | compared(evaluation, baselines)
    tables = {}
    for part, title in PARTS.items():
        if part in evaluation:
            measured = {name: one[part] for name, one in models.items() if part in one}
            header, rows = _cells(part, measured, evaluation)
            note = left_out(evaluation[part]) if part == "fashion_iq" else ""
            tables[f"{title} (%){note and '; '}{note}"] = table(_escaped(header), [_escaped(row) for row in rows])
    return tables


def attribute_comparison(measured: Mapping[str, Metrics], attributes: Sequence[str]) -> Cells:
    """Return MAP of models by attribute, over all queries and as mean of the attributes, next to a random order.

    Args:
        measured (`Mapping[str, Mapping[str, Any]]`): model -> from `evaluate_attribute_retrieval`, of the same photos.
        attributes (`Sequence[str]`): the rows.

    Returns:
        Header and rows.
    """
    first = next(iter(measured.values()))
    rows = []
    for row, key in [*((name, f"{name}_map") for name in attributes), *_OVERALL.items()]:
        rows.append(
            [row, *(cell(metrics.get(key)) for metrics in measured.values()), cell(first.get(f"{key}_chance"))]
        )
    return ["MAP (%)", *measured, "chance"], rows


_OVERALL = {"all queries": "map", "mean of attributes": "mean_attribute_map"}


def _escaped(cells: Sequence[str]) -> list[str]:
    """Names of tags and attributes come from a corpus of others."""
    return [escaped(text) for text in cells]


def _cells(part: str, measured: Mapping[str, Metrics], evaluation: Metrics) -> Cells:
    try:
        return _cells_of(part, measured, evaluation)
    except (KeyError, IndexError):  # a training may measure what it likes
        own = next(iter(measured.values()))
        models = {"value": own if part != "reranking" else next(iter(own.values()))}
        if part in COMPARED and len(measured) > 1:
            models = dict(measured)
        numbers = [name for name, value in next(iter(models.values())).items() if isinstance(value, (int, float))]
        rows = [[name.replace("_", " "), *(_number(one.get(name)) for one in models.values())] for name in numbers]
        return ["metric", *models], rows


def _number(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, (int, float)) else "-"


def _cells_of(part: str, measured: Mapping[str, Metrics], evaluation: Metrics) -> Cells:
    own = next(iter(measured.values()))
    if part == "cross_modal":
        return recall_comparison(measured) if len(measured) > 1 else recall_cells(own)
    if part == "tags":
        return tag_comparison(measured, evaluation["entities"])
    if part == "retrieval":
        attributes = evaluation["attributes"]
        return attribute_comparison(measured, attributes) if len(measured) > 1 else attribute_cells(own, attributes)
    if part == "reranking":
        return reranking_cells(own)
    if part in ("changes", "fashion_iq"):
        return change_cells(own)
    if part == "captions":
        return caption_cells(own)
    if part == "said_tags":
        return said_tag_cells(own)
    if part == "classification":
        return ["accuracy (%)", ""], [[name, cell(own[f"{name}_accuracy"])] for name in evaluation["attributes"]]
    columns = {"linear_probe": PROBE_COLUMNS, "localisation": LOCALISATION_COLUMNS, "pointing": POINTING_COLUMNS}[part]
    return entity_cells(own, own.get("rows") or evaluation.get("entities") or evaluation["attributes"], columns)
