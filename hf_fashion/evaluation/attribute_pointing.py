"""Measure pointing accuracy: whether the attention of an attribute peaks in the attribute's true box."""

from collections.abc import Iterable

import torch
from datasets import Dataset
from torch import Tensor, nn
from transformers import BaseImageProcessor

from ..data.column_map import ColumnMap
from ..embedding.attribute_corpus import image_batches, model_attribute_ids
from ..embedding.features import inference
from .box_geometry import read_boxes
from .localisation import localisation_metrics, patch_boxes


PRIMARY_METRIC = "pointing_accuracy"


def evaluate_pointing(
    model: nn.Module,
    image_processor: BaseImageProcessor,
    dataset: Dataset,
    column_map: ColumnMap,
    boxes_column: str = "boxes",
    batch_size: int = 64,
    num_workers: int = 0,
) -> dict[str, float]:
    """Return the share of photos whose attention map peaks in the true box, for every attribute with boxes.

    The peak is the cell of the map with the most attention, the first of equals. It counts by the rules of
    `localisation_metrics`: its centre is in the box, or it shares an area with the box.

    Args:
        model (`nn.Module`): returns `attention_maps` (B, K, h, w) and has `config.attribute_names`.
        image_processor (`BaseImageProcessor`): its image processor.
        dataset (`Dataset`): N rows.
        column_map (`ColumnMap`): names the photo and the attributes; those that the model has too are measured.
        boxes_column (`str`, *optional*, defaults to `"boxes"`): column of true boxes, see `read_boxes`.
        batch_size (`int`, *optional*, defaults to 64): photos in a forward pass.
        num_workers (`int`, *optional*, defaults to 0): additional processes that decode photos.

    Returns:
        `dict[str, float]`: for each attribute `{attribute}_centre_inside` and `{attribute}_overlaps`, each also with
        `_chance` (a cell at random) and `_ceiling` (some cell counts), and `{attribute}_num_images`.
        `pointing_accuracy`, its chance and its ceiling are the means of `centre_inside` over attributes.

    Raises:
        ValueError: the model returns no attention maps, the column is missing, or no attribute has a box.
    """
    known = [name for name in column_map.attributes if name in model.config.attribute_names]
    true_boxes = read_boxes(dataset, known, image_processor, column_map.image, boxes_column)
    if not true_boxes:
        raise ValueError(
            f"no attribute of the model, {list(model.config.attribute_names)}, is in the column map and has a box in "
            f"column {boxes_column!r}"
        )
    wanted = torch.zeros(len(dataset), len(true_boxes), dtype=torch.bool)
    for place, (rows, _) in enumerate(true_boxes.values()):
        wanted[rows, place] = True
    batches = image_batches(model, image_processor, dataset, wanted, column_map.image, batch_size, num_workers)
    peaks, cells = attention_peaks(model, batches, wanted.shape, model_attribute_ids(model, list(true_boxes)))
    results = {}
    for place, (name, (rows, boxes)) in enumerate(true_boxes.items()):
        metrics = localisation_metrics(peaks[rows, place, None], boxes, cells) | {"num_images": len(rows)}
        results |= {f"{name}_{metric}": value for metric, value in metrics.items()}
    for suffix in ("", "_chance", "_ceiling"):
        mean = sum(results[f"{name}_centre_inside{suffix}"] for name in true_boxes) / len(true_boxes)
        results[f"{PRIMARY_METRIC}{suffix}"] = mean
    return results


def cell_boxes(grid: tuple[int, int], image_size: tuple[int, int]) -> Tensor:
    """Return the boxes (h * w, 4) as x0, y0, x1, y1 of the cells of an attention map, row by row.

    Args:
        grid (`tuple[int, int]`): h and w of the map.
        image_size (`tuple[int, int]`): height and width of the image below it.
    """
    (rows, columns), (height, width) = grid, image_size
    return patch_boxes((rows, columns), 1) * torch.tensor([width / columns, height / rows] * 2)


def attention_peaks(
    model: nn.Module,
    batches: Iterable[tuple[Tensor, Tensor, dict[str, Tensor]]],
    shape: tuple[int, int],
    attribute_ids: list[int],
) -> tuple[Tensor, Tensor]:
    """Return the cell where attention peaks in each of N photos, for each of A attributes.

    Args:
        model (`nn.Module`): returns `attention_maps` (B, K, h, w).
        batches (`Iterable[tuple[torch.Tensor, torch.Tensor, dict[str, torch.Tensor]]]`): from `image_batches`.
        shape (`tuple[int, int]`): N and A.
        attribute_ids (`list[int]`): the model's ids of the A attributes.

    Returns:
        `tuple[torch.Tensor, torch.Tensor]`: the cells, int64 (N, A), -1 where none was asked for; and the boxes of all
        cells in pixels of the model's input, float32 (h * w, 4).

    Raises:
        ValueError: the model returns no attention maps.
    """
    ids, peaks = torch.tensor(attribute_ids), torch.full(shape, -1)
    with inference(model):
        for rows, places, inputs in batches:
            pixels = inputs["pixel_values"]
            maps = model(attribute_ids=ids[places].to(pixels.device), **inputs).attention_maps
            if maps is None:
                raise ValueError("pointing needs a model that returns `attention_maps`, and this one returns none")
            peaks[rows[:, None], places] = maps.flatten(2).argmax(dim=-1).cpu()
    return peaks, cell_boxes(maps.shape[-2:], pixels.shape[-2:])
