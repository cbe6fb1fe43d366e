"""Read true boxes of a corpus and carry them through resize and crop, into the image that the model sees."""

from collections.abc import Sequence

import torch
from datasets import Dataset
from torch import Tensor
from transformers import BaseImageProcessor

from ..data.photos.stored_photos import StoredPhotos
from ..models.e2.photo_geometry_e2 import model_frame


def read_boxes(
    dataset: Dataset,
    names: Sequence[str],
    image_processor: BaseImageProcessor,
    image_column: str = "image",
    boxes_column: str = "boxes",
) -> dict[str, tuple[list[int], Tensor]]:
    """Read the true boxes of entities or attributes, in pixels of the processed image.

    Args:
        dataset (`Dataset`): N rows.
        names (`Sequence[str]`): entities or attributes; those without a box are left out.
        image_processor (`BaseImageProcessor`): see `boxes_in_model_frame`.
        image_column (`str`, *optional*, defaults to `"image"`): column of the photo.
        boxes_column (`str`, *optional*, defaults to `"boxes"`): column with a dictionary name -> [x0, y0, x1, y1] in
            pixels of the photo, null where the photo has no such box.

    Returns:
        `dict[str, tuple[list[int], torch.Tensor]]`: name -> the B rows that have its box, and the boxes (B, 4).

    Raises:
        ValueError: the column is missing, or as `boxes_in_model_frame`.
    """
    require_boxes(dataset, boxes_column)
    cells = dataset.select_columns(boxes_column)[:][boxes_column]
    rows_of = {name: [row for row, boxes in enumerate(cells) if boxes and boxes.get(name)] for name in names}
    rows_of = {name: rows for name, rows in rows_of.items() if rows}
    sizes = [photo.size for photo in StoredPhotos(dataset, image_column)]
    found = {}
    for name, rows in rows_of.items():
        boxes = torch.tensor([cells[row][name] for row in rows], dtype=torch.float32)
        found[name] = rows, boxes_in_model_frame(boxes, [sizes[row] for row in rows], image_processor)
    return found


def require_boxes(dataset: Dataset, boxes_column: str = "boxes") -> None:
    """Raise if a corpus has no true boxes.

    Args:
        dataset (`Dataset`): its rows.
        boxes_column (`str`, *optional*, defaults to `"boxes"`): column of the boxes.

    Raises:
        ValueError: the column is missing.
    """
    if boxes_column not in dataset.column_names:
        raise ValueError(f"no column {boxes_column!r} of true boxes, the corpus has {sorted(dataset.column_names)}")


def boxes_in_model_frame(
    boxes: Tensor, image_sizes: Sequence[tuple[int, int]], image_processor: BaseImageProcessor
) -> Tensor:
    """Convert boxes from pixels of the photo to pixels of the processed image, through resize and centre crop.

    Args:
        boxes (`torch.Tensor` of shape `(B, 4)`): x0, y0, x1, y1 in pixels of the photo.
        image_sizes (`Sequence[tuple[int, int]]`): width and height of the B photos.
        image_processor (`BaseImageProcessor`): see `model_frame`.

    Returns:
        `torch.Tensor` of shape `(B, 4)`: float32. A box that the crop cuts reaches beyond the processed image.

    Raises:
        ValueError: as `model_frame`.
    """
    moved = []
    for (width, height), box in zip(image_sizes, boxes.double(), strict=True):
        frame = model_frame(width, height, image_processor)
        scale, corner = [frame.x_scale, frame.y_scale] * 2, [frame.left, frame.top] * 2
        moved.append(box * box.new_tensor(scale) - box.new_tensor(corner))
    return torch.stack(moved).float()
