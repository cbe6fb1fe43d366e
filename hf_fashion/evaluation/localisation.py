"""Measure localisation: whether an entity's selection tokens choose patches of its true box."""

from typing import Any

import torch
from datasets import Dataset
from torch import Tensor
from transformers import PreTrainedModel, ProcessorMixin

from ..data.column_map import ColumnMap
from ..embedding.batches import has_regions
from ..embedding.corpus import embed_images
from ..models.e2.photo_geometry_e2 import input_size
from .box_geometry import read_boxes


PRIMARY_METRIC = "mean_overlap_gain"


def require_selections(model: PreTrainedModel) -> None:
    """Raise if the tokens of a model select no patches.

    Args:
        model (`PreTrainedModel`): E2, CLIP or FILIP.

    Raises:
        ValueError: it is not an E2 with a fusion block.
    """
    if not has_regions(model) or not model.config.vision_config.fusion_layers:
        raise ValueError(
            "localisation needs a model whose tokens select patches: an E2 with at least one fusion layer"
        )


def patch_boxes(image_size: tuple[int, int], patch_size: int) -> Tensor:
    """Return the boxes (N, 4) of an image's patches as x0, y0, x1, y1, counted row by row as ViT does.

    Args:
        image_size (`tuple[int, int]`): height and width.
        patch_size (`int`): width and height of a patch.
    """
    height, width = (side // patch_size for side in image_size)
    y, x = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    corners = torch.stack([x, y], dim=-1).flatten(0, 1) * patch_size  # (N, 2)
    return torch.cat([corners, corners + patch_size], dim=1).float()


def patches_of_boxes(boxes: Tensor, patches: Tensor) -> dict[str, Tensor]:
    """Return which patches belong to a box, by two rules.

    Args:
        boxes (`torch.Tensor` of shape `(B, 4)`): x0, y0, x1, y1.
        patches (`torch.Tensor` of shape `(N, 4)`): the same, in the same frame.

    Returns:
        `dict[str, torch.Tensor]`: bool (B, N): `centre_inside` (the patch's centre is in the box, its border included)
        and `overlaps` (patch and box share an area above 0).
    """
    boxes = boxes[:, None]  # (B, 1, 4)
    centres = (patches[:, :2] + patches[:, 2:]) / 2
    inside = (centres >= boxes[..., :2]) & (centres <= boxes[..., 2:])  # (B, N, 2)
    overlaps = (patches[:, 2:] > boxes[..., :2]) & (patches[:, :2] < boxes[..., 2:])
    return {"centre_inside": inside.all(dim=-1), "overlaps": overlaps.all(dim=-1)}


def localisation_metrics(selected: Tensor, boxes: Tensor, patches: Tensor) -> dict[str, float]:
    """Return the share of images where at least one of n tokens selects a patch of the true box.

    Args:
        selected (`torch.Tensor` of shape `(B, n)`): int64; the patches of an entity's tokens.
        boxes (`torch.Tensor` of shape `(B, 4)`): x0, y0, x1, y1.
        patches (`torch.Tensor` of shape `(N, 4)`): the same, in the same frame.

    Returns:
        `dict[str, float]`: for each rule of `patches_of_boxes`: `{rule}`; `{rule}_chance`, the expectation for n
        patches drawn uniformly and independently, the mean of 1 - (1 - p)^n with p the share of the patches that
        belong to the box; and `{rule}_ceiling`, the share of images where some patch belongs to the box.
    """
    metrics = {}
    for rule, belongs in patches_of_boxes(boxes, patches).items():
        chance = 1 - (1 - belongs.double().mean(dim=1)) ** selected.shape[1]
        metrics[rule] = belongs.gather(1, selected).any(dim=1).double().mean().item()
        metrics[f"{rule}_chance"] = chance.mean().item()
        metrics[f"{rule}_ceiling"] = belongs.any(dim=1).double().mean().item()
    return metrics


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
    """Return localisation metrics of each fusion block, for every tag entity of the model that has boxes.

    Args:
        model (`PreTrainedModel`): an E2 with a fusion block.
        processor (`ProcessorMixin`): its processor.
        dataset (`Dataset`): N rows.
        column_map (`ColumnMap`): names the photo.
        boxes_column (`str`, *optional*, defaults to `"boxes"`): column of true boxes, see `read_boxes`.
        images (`dict[str, torch.Tensor]`, *optional*): from `embed_images`. Default: computed here.
        batch_size (`int`, *optional*, defaults to 64): photos in a forward pass.
        progress (`bool`, *optional*, defaults to `True`): show progress bars.

    Returns:
        `dict`: for each entity with boxes and each fusion block, prefixed `{entity}_layer_{layer before the block}_`:
        `num_images` and the metrics of `localisation_metrics`. `rows` lists these prefixes without their last
        underscore. The primary metric `mean_overlap_gain` is the mean over `rows` of `overlaps` less its chance.

    Raises:
        ValueError: the model selects no patches, the column is missing, or no entity of the model has a box.
    """
    require_selections(model)
    vision = model.config.vision_config
    true_boxes = read_boxes(dataset, vision.tag_entities, processor.image_processor, column_map.image, boxes_column)
    if not true_boxes:
        raise ValueError(f"no entity of the model, {vision.tag_entities}, has a box in column {boxes_column!r}")
    if images is None:
        images = embed_images(model, processor, dataset, column_map.image, batch_size, progress=progress)
    patches = patch_boxes(input_size(processor.image_processor), vision.patch_size)
    shape = (len(vision.tag_entities), vision.tokens_per_entity)
    results, gains = {"rows": []}, []
    for entity, (rows, boxes) in true_boxes.items():
        place = vision.tag_entities.index(entity)
        for block, layer in enumerate(vision.fusion_layers):
            selections = images[f"selections_{block}"].unflatten(1, shape)  # (N, E, n)
            metrics = {"num_images": len(rows)} | localisation_metrics(selections[rows, place], boxes, patches)
            gains.append(metrics["overlaps"] - metrics["overlaps_chance"])
            results["rows"].append(f"{entity}_layer_{layer}")
            results |= {f"{entity}_layer_{layer}_{name}": value for name, value in metrics.items()}
    return results | {PRIMARY_METRIC: sum(gains) / len(gains)}
