"""Whether the attention of an attribute peaks where the attribute is, on photos with true boxes."""

from collections.abc import Iterable

import torch
from datasets import Dataset
from torch import Tensor, nn
from transformers import BaseImageProcessor

from ..data.column_map import ColumnMap
from ..embedding.attribute_corpus import image_batches, model_attribute_ids
from ..embedding.features import inference
from ..images import first_view
from .box_geometry import boxes_in_model_frame
from .localisation import localisation_figures, patch_boxes


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
    """Share of photos whose attention map peaks inside the true box, for every attribute with boxes.

    The peak is the cell of the map with the most attention, the first of equals. It counts by the rules of
    `localisation_figures`: its centre lies in the box, or it shares an area with the box.

    Args:
        model: returns `attention_maps` (B, K, h, w) and has `config.attribute_names`.
        image_processor: its image processor.
        dataset: N rows.
        column_map: names the photo; its attributes, as far as the model and the boxes know them, are judged.
        boxes_column: column with a dictionary attribute -> [x0, y0, x1, y1] in pixels of the photo, null where the
            photo has no such part.
        batch_size: photos a forward pass.
        num_workers: processes that decode photos beside this one.

    Returns:
        For each attribute `{attribute}_centre_inside` and `{attribute}_overlaps`, each also with `_chance` (a cell at
        random) and `_ceiling` (some cell counts), and `{attribute}_num_images`. `pointing_accuracy`, its chance and
        its ceiling are the means of `centre_inside` over attributes.

    Raises:
        ValueError: the model gives no attention maps, the column is missing, or no attribute has a box.
    """
    if boxes_column not in dataset.column_names:
        raise ValueError(f"no column {boxes_column!r} of true boxes, the corpus has {sorted(dataset.column_names)}")
    true_boxes = dataset.select_columns(boxes_column)[:][boxes_column]
    names = [name for name in column_map.attributes if name in model.config.attribute_names]
    names = [name for name in names if any(boxes and boxes.get(name) for boxes in true_boxes)]
    if not names:
        raise ValueError(
            f"no attribute of the model, {list(model.config.attribute_names)}, is in the column map and has a box in "
            f"column {boxes_column!r}"
        )
    wanted = torch.tensor([[bool(boxes and boxes.get(name)) for name in names] for boxes in true_boxes])
    batches = image_batches(model, image_processor, dataset, wanted, column_map.image, batch_size, num_workers)
    peaks, cells = attention_peaks(model, batches, wanted.shape, model_attribute_ids(model, names))
    sizes = [first_view(row[column_map.image]).size for row in dataset.select_columns(column_map.image)]
    results = {}
    for number, name in enumerate(names):
        rows = wanted[:, number].nonzero().flatten().tolist()
        boxes = torch.tensor([true_boxes[row][name] for row in rows], dtype=torch.float32)
        boxes = boxes_in_model_frame(boxes, [sizes[row] for row in rows], image_processor)
        figures = localisation_figures(peaks[rows, number, None], boxes, cells)
        results |= {f"{name}_{figure}": value for figure, value in figures.items()} | {f"{name}_num_images": len(rows)}
    for suffix in ("", "_chance", "_ceiling"):
        mean = sum(results[f"{name}_centre_inside{suffix}"] for name in names) / len(names)
        results[f"{PRIMARY_METRIC}{suffix}"] = mean
    return results


def cell_boxes(grid: tuple[int, int], image_size: tuple[int, int]) -> Tensor:
    """Boxes (h * w, 4) as x0, y0, x1, y1 of the cells of a map (h, w) over an image (height, width), row by row."""
    (rows, columns), (height, width) = grid, image_size
    return patch_boxes((rows, columns), 1) * torch.tensor([width / columns, height / rows] * 2)


def attention_peaks(
    model: nn.Module,
    batches: Iterable[tuple[Tensor, Tensor, dict[str, Tensor]]],
    shape: tuple[int, int],
    attribute_ids: list[int],
) -> tuple[Tensor, Tensor]:
    """The cell where attention peaks in each of N photos, for each of A attributes.

    Args:
        model: returns `attention_maps` (B, K, h, w).
        batches: of `image_batches`.
        shape: N and A.
        attribute_ids: the model's ids of the A attributes.

    Returns:
        The cells, int64 (N, A), -1 where none was asked for; and the boxes of all cells in pixels of the model's
        input, float32 (h * w, 4).

    Raises:
        ValueError: the model gives no attention maps.
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
