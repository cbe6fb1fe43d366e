"""An attribute-specific model on a corpus with true boxes, for a report: figures, tables, sentences, pictures."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from datasets import Dataset
from transformers import BaseImageProcessor, PreTrainedModel

from ..data.column_map import ColumnMap
from ..embedding.attribute_corpus import embed_attributes
from ..evaluation.attribute_pointing import evaluate_pointing
from ..evaluation.attribute_retrieval import retrieval_figures
from ..evaluation.labelled_search import LabelledSearch
from .attribute_showcase import attention_sheets, photos_by_attribute
from .report_page import figure, paragraph
from .tables import POINTING_COLUMNS, Cells, attribute_cells, cell, entity_cells


SAME_VALUE = paragraph("The nearest in this attribute alone. Green frame: the same value as the query.")
ROUNDS = paragraph(
    "A line an attribute. Green: the region that the second branch sees. Red: attention, round by round."
)


def evaluate_attributes(
    model: PreTrainedModel,
    image_processor: BaseImageProcessor,
    split: Dataset,
    column_map: ColumnMap,
    searches: Mapping[str, Sequence[LabelledSearch]],
) -> dict[str, Any]:
    """Search by every attribute, and whether attention peaks where the attribute is.

    Args:
        model: returns attention maps.
        image_processor: its image processor.
        split: rows with `boxes`.
        column_map: names photo and attributes.
        searches: of the split by every attribute, from `attribute_searches`.

    Returns:
        `parameters`, `retrieval` and `pointing`, as the evaluations of these names give them.
    """
    return {
        "parameters": model.num_parameters(),
        "retrieval": retrieval_figures(searches),
        "pointing": evaluate_pointing(model.eval(), image_processor, split, column_map),
    }


def compare_attributes(results: dict[str, Any], attributes: list[str]) -> dict[str, Cells]:
    """Title -> table of what `evaluate_attributes` returned."""
    return {
        "IPAD: search by one attribute": attribute_cells(results["retrieval"], attributes),
        "IPAD: where its attention peaks": entity_cells(results["pointing"], attributes, POINTING_COLUMNS),
    }


def summarise_attributes(results: dict[str, Any]) -> list[str]:
    """What one wants to know first, in sentences."""
    retrieval, pointing = results["retrieval"], results["pointing"]
    return [
        f"IPAD ({results['parameters']:,} parameters) searches by one attribute with a mean average precision of "
        f"{cell(retrieval['map'])} % (a random order: {cell(retrieval['map_chance'])} %); its attention peaks in the "
        f"attribute's true box in {cell(pointing['pointing_accuracy'])} % of the images "
        f"(chance {cell(pointing['pointing_accuracy_chance'])} %).",
    ]


def show_attributes(
    model: PreTrainedModel,
    image_processor: BaseImageProcessor,
    split: Dataset,
    column_map: ColumnMap,
    rows: Sequence[int],
) -> list[tuple[str, str]]:
    """The report's sections with pictures: heading, HTML.

    Args:
        model: returns attention maps.
        image_processor: its image processor.
        split: what is searched.
        column_map: names photo and attributes.
        rows: the queries, and the photos whose attention is shown.
    """
    photos = split[column_map.image][:]
    names = model.config.attribute_names
    wanted = torch.ones(len(split), len(names), dtype=torch.bool)
    features = embed_attributes(
        model, image_processor, split, wanted, range(len(names)), column_map.image, progress=False
    )
    sections = []
    for number, attribute in enumerate(names):
        values = split[column_map.attributes[attribute]][:]
        found = photos_by_attribute(photos, features[number], values, rows)
        sections.append((f"Photos with the same {attribute}", SAME_VALUE + found))
    sheets = attention_sheets(model, image_processor, split, rows, column_map.image)
    pictures = "\n".join(figure(sheet, "Attention by attribute and round", "", "wide") for sheet in sheets)
    return [*sections, ("Where IPAD looks", ROUNDS + pictures)]
