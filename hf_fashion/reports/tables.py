"""Make tables of metrics: their cells, and cells as Markdown text."""

import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any

from ..messages import printable


Cells = tuple[list[str], list[list[str]]]  # header, rows

RECALL_ROWS = {
    "image to text": "image_to_text_recall",
    "text to image": "text_to_image_recall",
    "text to image, share of all matches": "text_to_image_relevant_recall",
}
# Label of a table's column -> the end of the metric's key, which begins with the entity.
TAG_COLUMNS = {
    "tags": "num_tags",
    "majority": "majority_rate",
    "image acc": "image_accuracy",
    "region acc": "region_accuracy",
    "image MAP": "image_map",
    "region MAP": "region_map",
    "image P@10": "image_precision@10",
    "region P@10": "region_precision@10",
    "ceiling P@10": "precision_ceiling@10",
}
PROBE_COLUMNS = {
    "classes": "num_classes",
    "majority": "majority_rate",
    "image acc": "image_probe_accuracy",
    "region acc": "region_probe_accuracy",
}
LOCALISATION_COLUMNS = {
    "images": "num_images",
    "centre in box": "centre_inside",
    "chance": "centre_inside_chance",
    "ceiling": "centre_inside_ceiling",
    "overlaps box": "overlaps",
    "chance ": "overlaps_chance",
}
ATTRIBUTE_COLUMNS = {"queries": "num_queries", "candidates": "num_candidates", "MAP": "map", "chance": "map_chance"}
RERANKING_COLUMNS = {
    "MAP before": "initial_map",
    "MAP": "map",
    "mean of attributes": "mean_attribute_map",
    "better queries": "share_better",
    "worse": "share_worse",
}
CHANGE_COLUMNS = {"R@10": "recall@10", "R@50": "recall@50", "changed": "changed", "kept": "kept"}
CAPTION_COLUMNS = {
    "BLEU@4": "bleu@4",
    "METEOR without synonyms": "meteor_without_synonyms",
    "ROUGE-L": "rouge_l",
    "CIDEr": "cider",
}
SAID_TAG_COLUMNS = {
    "captions": "num_captions",
    "name the right value": "accuracy",
    "name any": "named",
    "right among these": "precision",
    "true captions": "true_captions",
}
POINTING_COLUMNS = {name: LOCALISATION_COLUMNS[name] for name in ("images", "centre in box", "chance", "ceiling")}


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table with aligned columns.

    A cell is one line: `|` and control characters in it are escaped. Chinese and other wide characters count as two.

    Args:
        header (`Sequence[str]`): the labels of the columns.
        rows (`Sequence[Sequence[str]]`): the cells of each row.
    """
    lines = [[_in_one_line(text) for text in line] for line in (header, *rows)]
    widths = [max(3, *(_width(line[i]) for line in lines)) for i in range(len(header))]
    lines.insert(1, ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])])
    return "\n".join("| " + " | ".join(_aligned(line, widths)) + " |" for line in lines)


def cell(value: float | int | None) -> str:
    """Return a share in percent with one digit, a count as it is, `-` for `None`.

    Args:
        value (`float`, `int` or `None`): a share from 0 to 1, or a count.
    """
    if value is None:
        return "-"
    return str(value) if isinstance(value, int) else f"{100 * value:.1f}"


def recall_cells(metrics: Mapping[str, Any]) -> Cells:
    """Return recall in percent, with the ceiling in brackets where there is one, a row a direction, and SumR.

    Args:
        metrics (`Mapping[str, Any]`): from `evaluate_cross_modal`.

    Returns:
        Header and rows.
    """
    ks = [name.split("@")[1] for name in metrics if name.startswith("image_to_text_recall@")]
    rows = []
    for label, name in RECALL_ROWS.items():
        if f"{name}@{ks[0]}" in metrics:
            rows.append([label, *(_with_ceiling(metrics, f"{name}@{k}", f"{name}_ceiling@{k}") for k in ks)])
    rows.append(["SumR", _with_ceiling(metrics, "sum_recall", "sum_recall_ceiling"), *[""] * (len(ks) - 1)])
    return ["% (ceiling)", *(f"R@{k}" for k in ks)], rows


def entity_cells(metrics: Mapping[str, Any], entities: Sequence[str], columns: Mapping[str, str]) -> Cells:
    """Return metrics of entities, a row an entity: shares in percent, counts as they are, `-` for missing ones.

    Args:
        metrics (`Mapping[str, Any]`): keys `{entity}_{end}`.
        entities (`Sequence[str]`): those to show; one without metrics is left out.
        columns (`Mapping[str, str]`): label -> end of the key.

    Returns:
        Header and rows.
    """
    rows = []
    for entity in entities:
        values = [metrics.get(f"{entity}_{end}") for end in columns.values()]
        if any(value is not None for value in values):
            rows.append([entity, *map(cell, values)])
    return ["", *columns], rows


def change_cells(metrics: Mapping[str, Any]) -> Cells:
    """Return metrics of searches by a photo and a change in percent, a row for each entity and way to search.

    Args:
        metrics (`Mapping[str, Any]`): from `evaluate_changes` or `evaluate_fashion_iq`.

    Returns:
        Header and rows.
    """
    rows = []
    for entity in metrics["entities"]:
        for way in metrics["rows"]:
            values = [metrics.get(f"{entity}_{way}_{end}") for end in CHANGE_COLUMNS.values()]
            rows.append([entity, way, *map(cell, values)])
    return ["", "way", *CHANGE_COLUMNS], rows


def left_out(metrics: Mapping[str, Any]) -> str:
    """Return how many queries and photos of Fashion-IQ were left out; nothing where all were measured.

    Args:
        metrics (`Mapping[str, Any]`): from `evaluate_fashion_iq`.
    """
    queries, photos = (
        sum(metrics.get(f"{name}_num_left_out_{kind}", 0) for name in metrics["entities"])
        for kind in ("queries", "photos")
    )
    what = f"{queries:,} queries and {photos:,} photos to search are left out, since the corpus lacks photos"
    return f"{what}: not comparable with published results" if queries or photos else ""


def caption_cells(metrics: Mapping[str, Any]) -> Cells:
    """Return metrics of captions in percent, in one row.

    Args:
        metrics (`Mapping[str, Any]`): from `caption_metrics`.

    Returns:
        Header and rows.
    """
    return ["", *CAPTION_COLUMNS], [["captions", *(cell(metrics[name]) for name in CAPTION_COLUMNS.values())]]


def said_tag_cells(metrics: Mapping[str, Any]) -> Cells:
    """Return how many captions name the right tags in percent, a row for each entity.

    Args:
        metrics (`Mapping[str, Any]`): from `said_tag_accuracy`, with `entities`.

    Returns:
        Header and rows.
    """
    return entity_cells(metrics, metrics["entities"], SAID_TAG_COLUMNS)


def attribute_cells(metrics: Mapping[str, Any], attributes: Sequence[str]) -> Cells:
    """Return MAP of every attribute and overall in percent, next to the expectation of a random order.

    Args:
        metrics (`Mapping[str, Any]`): from `evaluate_attribute_retrieval`.
        attributes (`Sequence[str]`): those to show.

    Returns:
        Header and rows.
    """
    header, rows = entity_cells(metrics, attributes, ATTRIBUTE_COLUMNS)
    for label, name in (("all queries", "map"), ("mean of attributes", "mean_attribute_map")):
        count = cell(metrics["num_queries"]) if name == "map" else ""
        rows.append([label, count, "", cell(metrics[name]), cell(metrics[f"{name}_chance"])])
    return header, rows


def reranking_cells(metrics: Mapping[str, Mapping[str, float]]) -> Cells:
    """Return the metrics of re-rankers in percent, a row a re-ranker.

    Args:
        metrics (`Mapping[str, Mapping[str, float]]`): re-ranker -> from `evaluate_reranking`.

    Returns:
        Header and rows.
    """
    rows = [[name, *(cell(found[key]) for key in RERANKING_COLUMNS.values())] for name, found in metrics.items()]
    return ["re-ranker", *RERANKING_COLUMNS], rows


def _with_ceiling(metrics: Mapping[str, Any], name: str, ceiling: str) -> str:
    return cell(float(metrics[name])) + (f" ({cell(float(metrics[ceiling]))})" if ceiling in metrics else "")


def _in_one_line(text: str) -> str:
    return printable(text).replace("|", "\\|")


def _width(text: str) -> int:
    """The columns of a terminal that a text takes."""
    return sum(
        0 if unicodedata.combining(sign) else 2 if unicodedata.east_asian_width(sign) in "WF" else 1 for sign in text
    )


def _aligned(line: Sequence[str], widths: Sequence[int]) -> list[str]:
    """The first cell is at the left, the others are at the right."""
    blanks = [" " * (width - _width(text)) for text, width in zip(line, widths, strict=True)]
    return [line[0] + blanks[0], *(blank + text for blank, text in zip(blanks[1:], line[1:], strict=True))]
