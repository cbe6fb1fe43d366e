"""Results as text tables."""

from collections.abc import Mapping, Sequence
from typing import Any


Cells = tuple[list[str], list[list[str]]]  # header, rows

RECALL_ROWS = {
    "image to text": "image_to_text_recall",
    "text to image": "text_to_image_recall",
    "text to image, share of all matches": "text_to_image_relevant_recall",
}
# Label of a table's column -> the end of the figure's key, which begins with the entity.
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
POINTING_COLUMNS = {name: LOCALISATION_COLUMNS[name] for name in ("images", "centre in box", "chance", "ceiling")}


def reranking_table(figures: Mapping[str, Mapping[str, float]]) -> str:
    """The cells of `reranking_cells` as a text table."""
    return table(*reranking_cells(figures))


def reranking_cells(figures: Mapping[str, Mapping[str, float]]) -> Cells:
    """Re-rankers in rows, in percent.

    Args:
        figures: re-ranker -> what `evaluate_reranking` returns.

    Returns:
        Header and rows.
    """
    rows = [[name, *(cell(found[key]) for key in RERANKING_COLUMNS.values())] for name, found in figures.items()]
    return ["re-ranker", *RERANKING_COLUMNS], rows


def attribute_table(figures: Mapping[str, Any], attributes: Sequence[str]) -> str:
    """The cells of `attribute_cells` as a text table."""
    return table(*attribute_cells(figures, attributes))


def attribute_cells(figures: Mapping[str, Any], attributes: Sequence[str]) -> Cells:
    """MAP of every attribute and overall in percent, beside what a random order gives.

    Args:
        figures: what `evaluate_attribute_retrieval` returns.
        attributes: those to show.

    Returns:
        Header and rows.
    """
    header, rows = entity_cells(figures, attributes, ATTRIBUTE_COLUMNS)
    for label, name in (("all queries", "map"), ("mean of attributes", "mean_attribute_map")):
        count = cell(figures["num_queries"]) if name == "map" else ""
        rows.append([label, count, "", cell(figures[name]), cell(figures[f"{name}_chance"])])
    return header, rows


def recall_table(figures: Mapping[str, Any]) -> str:
    """Recall in percent, with the ceiling in brackets where there is one, a line a direction, and SumR.

    Args:
        figures: what `evaluate_cross_modal` returns.
    """
    ks = [name.split("@")[1] for name in figures if name.startswith("image_to_text_recall@")]
    rows = []
    for label, name in RECALL_ROWS.items():
        if f"{name}@{ks[0]}" in figures:
            rows.append([label, *(_with_ceiling(figures, f"{name}@{k}", f"{name}_ceiling@{k}") for k in ks)])
    rows.append(["SumR", _with_ceiling(figures, "sum_recall", "sum_recall_ceiling"), *[""] * (len(ks) - 1)])
    return table(["% (ceiling)", *(f"R@{k}" for k in ks)], rows)


def entity_table(figures: Mapping[str, Any], entities: Sequence[str], columns: Mapping[str, str]) -> str:
    """The cells of `entity_cells` as a text table."""
    return table(*entity_cells(figures, entities, columns))


def entity_cells(figures: Mapping[str, Any], entities: Sequence[str], columns: Mapping[str, str]) -> Cells:
    """A line an entity; shares in percent, counts as they are, `-` for what was not measured.

    Args:
        figures: keys `{entity}_{end}`.
        entities: those to show; one without figures is left out.
        columns: label -> end of the key.

    Returns:
        Header and rows.
    """
    rows = []
    for entity in entities:
        values = [figures.get(f"{entity}_{end}") for end in columns.values()]
        if any(value is not None for value in values):
            rows.append([entity, *map(cell, values)])
    return ["", *columns], rows


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table with aligned columns."""
    lines = [list(header), *map(list, rows)]
    widths = [max(3, *(len(line[i]) for line in lines)) for i in range(len(header))]
    lines.insert(1, ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])])
    return "\n".join(
        "| " + " | ".join([line[0].ljust(widths[0]), *map(str.rjust, line[1:], widths[1:])]) + " |" for line in lines
    )


def _with_ceiling(figures: Mapping[str, Any], name: str, ceiling: str) -> str:
    return cell(float(figures[name])) + (f" ({cell(float(figures[ceiling]))})" if ceiling in figures else "")


def cell(value: float | int | None) -> str:
    """A share in percent with one digit, a count as it is, `-` for `None`."""
    if value is None:
        return "-"
    return str(value) if isinstance(value, int) else f"{100 * value:.1f}"
