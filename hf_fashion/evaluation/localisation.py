"""Whether an entity's selection tokens look at the place where its attribute is, on photos with true boxes."""

from typing import Any

import torch
from datasets import Dataset
from torch import Tensor
from transformers import PreTrainedModel, ProcessorMixin

from ..data.column_map import ColumnMap
from ..embedding.batches import has_regions
from ..embedding.corpus import embed_images
from .box_geometry import boxes_in_model_frame


PRIMARY_METRIC = "mean_overlap_gain"


def patch_boxes(image_size: tuple[int, int], patch_size: int) -> Tensor:
    """Boxes (N, 4) as x0, y0, x1, y1 of the patches of an image (height, width), counted row by row as ViT does."""
    height, width = (side // patch_size for side in image_size)
    y, x = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    corners = torch.stack([x, y], dim=-1).flatten(0, 1) * patch_size  # (N, 2)
    return torch.cat([corners, corners + patch_size], dim=1).float()


def patches_of_boxes(boxes: Tensor, patches: Tensor) -> dict[str, Tensor]:
    """Which patches belong to a box, by two rules.

    Args:
        boxes: (B, 4) as x0, y0, x1, y1.
        patches: (N, 4), the same, in the same frame.

    Returns:
        bool (B, N): `centre_inside` (the patch's centre lies in the box, its border included) and `overlaps` (patch
        and box share an area above 0).
    """
    boxes = boxes[:, None]  # (B, 1, 4)
    centres = (patches[:, :2] + patches[:, 2:]) / 2
    inside = (centres >= boxes[..., :2]) & (centres <= boxes[..., 2:])  # (B, N, 2)
    overlaps = (patches[:, 2:] > boxes[..., :2]) & (patches[:, :2] < boxes[..., 2:])
    return {"centre_inside": inside.all(dim=-1), "overlaps": overlaps.all(dim=-1)}


def localisation_figures(selected: Tensor, boxes: Tensor, patches: Tensor) -> dict[str, float]:
    """Share of images where at least one of an entity's n tokens selects a patch of the true box.

    Args:
        selected: int64 (B, n), the patches of the entity's tokens.
        boxes: (B, 4) as x0, y0, x1, y1.
        patches: (N, 4), the same, in the same frame.

    Returns:
        For each rule of `patches_of_boxes`: `{rule}`; `{rule}_chance`, what n patches drawn uniformly and
        independently reach, the mean of 1 - (1 - p)^n with p the share of the patches that belong to the box; and
        `{rule}_ceiling`, the share of images where some patch belongs to the box.
    """
    figures = {}
    for rule, belongs in patches_of_boxes(boxes, patches).items():
        chance = 1 - (1 - belongs.double().mean(dim=1)) ** selected.shape[1]
        figures[rule] = belongs.gather(1, selected).any(dim=1).double().mean().item()
        figures[f"{rule}_chance"] = chance.mean().item()
        figures[f"{rule}_ceiling"] = belongs.any(dim=1).double().mean().item()
    return figures


def evaluate_localisation(
    model: PreTrainedModel,
    processor: ProcessorMixin,
    dataset: Dataset,
    column_map: ColumnMap,
    boxes_column: str = "boxes",
    images: dict[str, Tensor] | None = None,
    batch_size: int = 64,
    progress: bool = True,
) -> dict[str, Any]:
    """Localisation by each fusion block, for every tag entity of the model that has boxes in the corpus.

    Args:
        model: an E2 with a fusion block.
        processor: its processor.
        dataset: N rows.
        column_map: names the photo.
        boxes_column: column with a dictionary entity -> [x0, y0, x1, y1] in pixels of the photo, null where the photo
            has no such region.
        images: what `embed_images` gives for the dataset, where it is at hand.
        batch_size: photos a forward pass.
        progress: whether to show progress bars.

    Returns:
        For each entity with boxes and each fusion block, prefixed `{entity}_layer_{layer before the block}_`:
        `num_images` and the figures of `localisation_figures`. `rows` lists these prefixes without their last
        underscore. The primary metric `mean_overlap_gain` is the mean over `rows` of `overlaps` less its chance.

    Raises:
        ValueError: the model selects no patches, the column is missing, or no entity of the model has a box.
    """
    if not has_regions(model) or not model.config.vision_config.fusion_layers:
        raise ValueError(
            "localisation needs a model whose tokens select patches: an E2 with at least one fusion layer"
        )
    if boxes_column not in dataset.column_names:
        raise ValueError(f"no column {boxes_column!r} of true boxes, the corpus has {sorted(dataset.column_names)}")
    vision = model.config.vision_config
    if images is None:
        images = embed_images(model, processor, dataset, column_map.image, batch_size, progress=progress)
    patches = patch_boxes((vision.image_size, vision.image_size), vision.patch_size)
    true_boxes = dataset.select_columns(boxes_column)[:][boxes_column]
    sizes = [_size(row[column_map.image]) for row in dataset.select_columns(column_map.image)]
    blocks = [  # one tensor (N, E, n) a fusion block
        images[f"selections_{block}"].unflatten(1, (len(vision.tag_entities), vision.tokens_per_entity))
        for block in range(len(vision.fusion_layers))
    ]
    results, gains = {"rows": []}, []
    for place, entity in enumerate(vision.tag_entities):
        rows = [row for row, boxes in enumerate(true_boxes) if boxes and boxes.get(entity)]
        if not rows:
            continue
        boxes = torch.tensor([true_boxes[row][entity] for row in rows], dtype=torch.float32)
        boxes = boxes_in_model_frame(boxes, [sizes[row] for row in rows], processor.image_processor)
        for layer, selections in zip(vision.fusion_layers, blocks, strict=True):
            figures = {"num_images": len(rows)} | localisation_figures(selections[rows, place], boxes, patches)
            gains.append(figures["overlaps"] - figures["overlaps_chance"])
            results["rows"].append(f"{entity}_layer_{layer}")
            results |= {f"{entity}_layer_{layer}_{name}": value for name, value in figures.items()}
    if not gains:
        raise ValueError(f"no entity of the model, {vision.tag_entities}, has a box in column {boxes_column!r}")
    return results | {PRIMARY_METRIC: sum(gains) / len(gains)}


def _size(photo) -> tuple[int, int]:
    """(width, height) of a photo, or of the first of its views."""
    return (photo[0] if isinstance(photo, list) else photo).size
