"""Examples of attribute-specific search for a report: what is found for a photo, and where the model looked."""

from collections.abc import Sequence

import torch
from datasets import Dataset
from PIL import Image
from torch import Tensor
from transformers import BaseImageProcessor, PreTrainedModel

from ..embedding.attribute_corpus import image_batches
from ..embedding.features import inference
from ..models.attribute.attention_maps_attribute import draw_attention
from .report_page import figure, picture_row
from .showcase import top_k


def photos_by_attribute(
    photos: Sequence[Image.Image], features: Tensor, values: Sequence[str | None], rows: Sequence[int], k: int = 5
) -> str:
    """HTML: some photos, and beside each the k others that are nearest in one attribute; right has the same value.

    Args:
        photos: N pictures.
        features: (N, D), the photos' embeddings for the attribute, normalised.
        values: their N true values; `None` where a photo has none.
        rows: places of the queries; one without a value is left out.
        k: photos a query.
    """
    rows = [row for row in rows if values[row] is not None]
    lines = []
    for row, found in zip(rows, top_k(features[rows], features, k + 1), strict=True):
        others = [place for place in found if place != row][:k]
        results = [
            figure(photos[place], str(values[place]), str(values[place]), _frame(values[place] == values[row]))
            for place in others
        ]
        lines.append(picture_row("", [figure(photos[row], str(values[row]), f"query: {values[row]}"), *results]))
    return "\n".join(lines)


def attention_sheets(
    model: PreTrainedModel,
    image_processor: BaseImageProcessor,
    dataset: Dataset,
    rows: Sequence[int],
    image_column: str = "image",
    side: int = 120,
) -> list[Image.Image]:
    """Where the model looked: a picture a photo, in it a row an attribute, as `draw_attention` makes it.

    Args:
        model: returns `attention_maps` or `iteration_maps`, and `boxes` where it has a local branch.
        image_processor: its image processor.
        dataset: rows with a square photo.
        rows: which photos.
        image_column: column of the photo.
        side: width and height of a panel in pixels.
    """
    shown = dataset.select(rows)
    wanted = torch.ones(len(shown), len(model.config.attribute_names), dtype=torch.bool)
    _, _, inputs = next(image_batches(model, image_processor, shown, wanted, image_column, len(shown)))
    with inference(model):
        outputs = model(**inputs)
    maps = outputs.iteration_maps
    maps = outputs.attention_maps.unsqueeze(2) if maps is None else maps  # (B, A, rounds, h, w)
    sizes = inputs.get("source_sizes", torch.tensor(inputs["pixel_values"].shape[2:]).expand(len(shown), 2))
    sheets = []
    for number, row in enumerate(shown):
        boxes = None if outputs.boxes is None else outputs.boxes[number].cpu()
        panel = row[image_column].convert("RGB").resize((side, side))
        size = sizes[number].tolist()
        sheets.append(draw_attention(panel, maps[number], model.config.attribute_names, boxes, size))
    return sheets


def _frame(right: bool) -> str:
    return "right" if right else ""
