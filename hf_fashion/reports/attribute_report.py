"""Report on an attribute-specific model: tables, a sentence, and pictures of its results and of its attention."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from datasets import Dataset
from transformers import BaseImageProcessor, PreTrainedModel

from ..data.column_map import ColumnMap
from ..data.photos.stored_photos import StoredPhotos
from ..data.values import column_texts
from ..embedding.attribute_corpus import embed_attributes
from .attention_pictures import attention_sheets
from .report_page import paragraph, picture
from .search_examples import photos_by_attribute
from .tables import POINTING_COLUMNS, Cells, attribute_cells, cell, entity_cells


SAME_VALUE = paragraph("The most similar in this attribute only. Green frame: the same value as the query.")
ROUNDS = paragraph(
    "A row for each attribute. Green: the region that the second branch sees. Red: attention, round by round."
)


def compare_attributes(results: Mapping[str, Any], attributes: Sequence[str]) -> dict[str, Cells]:
    """Return the tables of the model, title -> header and rows.

    Args:
        results (`Mapping[str, Any]`): `retrieval` and `pointing`, from the evaluations with these names.
        attributes (`Sequence[str]`): those to show.
    """
    return {
        "IPAD: search by one attribute": attribute_cells(results["retrieval"], attributes),
        "IPAD: where its attention peaks": entity_cells(results["pointing"], attributes, POINTING_COLUMNS),
    }


def summarise_attributes(results: Mapping[str, Any]) -> str:
    """Return the main results of the model in a sentence.

    Args:
        results (`Mapping[str, Any]`): as in `compare_attributes`, with `parameters`.
    """
    retrieval, pointing = results["retrieval"], results["pointing"]
    return (
        f"IPAD ({results['parameters']:,} parameters) searches by one attribute with a mean average precision of "
        f"{cell(retrieval['map'])} % (a random order: {cell(retrieval['map_chance'])} %); its attention peaks in the "
        f"attribute's true box in {cell(pointing['pointing_accuracy'])} % of the images "
        f"(chance {cell(pointing['pointing_accuracy_chance'])} %), {_below_chance(pointing)}."
    )


def _below_chance(pointing: Mapping[str, float]) -> str:
    names = [name.removesuffix("_num_images") for name in pointing if name.endswith("_num_images")]
    below = [name for name in names if pointing[f"{name}_centre_inside"] <= pointing[f"{name}_centre_inside_chance"]]
    return f"but not above chance for {' and '.join(below)}" if below else "above chance for every attribute"


def show_attributes(
    model: PreTrainedModel,
    image_processor: BaseImageProcessor,
    split: Dataset,
    column_map: ColumnMap,
    rows: Sequence[int],
) -> list[tuple[str, str]]:
    """Return the report's sections with pictures: heading and HTML.

    Args:
        model (`PreTrainedModel`): returns attention maps.
        image_processor (`BaseImageProcessor`): its image processor.
        split (`Dataset`): the rows to search.
        column_map (`ColumnMap`): names photo and attributes.
        rows (`Sequence[int]`): the queries, and the photos whose attention is shown.
    """
    photos = StoredPhotos(split, column_map.image)
    names = model.config.attribute_names
    wanted = torch.ones(len(split), len(names), dtype=torch.bool)
    features = embed_attributes(
        model, image_processor, split, wanted, range(len(names)), column_map.image, progress=False
    )
    sections = []
    for number, attribute in enumerate(names):
        values = column_texts(split, column_map.attributes[attribute])
        found = photos_by_attribute(photos, features[number], values, rows)
        sections.append((f"Photos with the same {attribute}", SAME_VALUE + found))
    sheets = attention_sheets(model, image_processor, split, rows, column_map.image)
    pictures = "\n".join(picture(sheet, "Attention by attribute and round", "", "wide") for sheet in sheets)
    return [*sections, ("Where IPAD looks", ROUNDS + pictures)]
