"""Read true boxes of a corpus and carry them through resize and crop, into the image that the model sees."""

from collections.abc import Sequence

import torch
from datasets import Dataset
from torch import Tensor
from transformers import BaseImageProcessor

from ..data.photos.stored_photos import StoredPhotos


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
    if boxes_column not in dataset.column_names:
        raise ValueError(f"no column {boxes_column!r} of true boxes, the corpus has {sorted(dataset.column_names)}")
    cells = dataset.select_columns(boxes_column)[:][boxes_column]
    rows_of = {name: [row for row, boxes in enumerate(cells) if boxes and boxes.get(name)] for name in names}
    rows_of = {name: rows for name, rows in rows_of.items() if rows}
    sizes = [photo.size for photo in StoredPhotos(dataset, image_column)]
    found = {}
    for name, rows in rows_of.items():
        boxes = torch.tensor([cells[row][name] for row in rows], dtype=torch.float32)
        found[name] = rows, boxes_in_model_frame(boxes, [sizes[row] for row in rows], image_processor)
    return found


def boxes_in_model_frame(
    boxes: Tensor, image_sizes: Sequence[tuple[int, int]], image_processor: BaseImageProcessor
) -> Tensor:
    """Convert boxes from pixels of the photo to pixels of the processed image, through resize and centre crop.

    Args:
        boxes (`torch.Tensor` of shape `(B, 4)`): x0, y0, x1, y1 in pixels of the photo.
        image_sizes (`Sequence[tuple[int, int]]`): width and height of the B photos.
        image_processor (`BaseImageProcessor`): with CLIP's settings: `size` as height and width or as a shortest edge,
            and a centre crop that fits into the resized image.

    Returns:
        `torch.Tensor` of shape `(B, 4)`: float32. A box that the crop cuts reaches beyond the processed image.

    Raises:
        ValueError: the processor resizes by another rule, pads, or the crop is larger than the resized image.
    """
    if getattr(image_processor, "do_pad", None):
        raise ValueError("boxes cannot be followed through `do_pad=True` of the image processor; switch it off")
    moved = []
    for (width, height), box in zip(image_sizes, boxes.double(), strict=True):
        new_width, new_height = _resized(width, height, image_processor)
        left, top = _crop_offset(new_width, new_height, image_processor)
        x_scale, y_scale = new_width / width, new_height / height
        moved.append(box * box.new_tensor([x_scale, y_scale] * 2) - box.new_tensor([left, top] * 2))
    return torch.stack(moved).float()


def _resized(width: int, height: int, image_processor: BaseImageProcessor) -> tuple[int, int]:
    if not image_processor.do_resize:
        return width, height
    size = dict(image_processor.size)
    if size.get("height") and size.get("width"):
        return size["width"], size["height"]
    if size.get("shortest_edge") and not size.get("longest_edge"):
        short, shortest = min(width, height), size["shortest_edge"]
        return tuple(shortest if side == short else int(shortest * side / short) for side in (width, height))
    raise ValueError(
        f"boxes can be followed through a `size` with height and width or with only a shortest edge, got {size}"
    )


def _crop_offset(width: int, height: int, image_processor: BaseImageProcessor) -> tuple[int, int]:
    if not image_processor.do_center_crop:
        return 0, 0
    crop = image_processor.crop_size
    left, top = (width - crop["width"]) // 2, (height - crop["height"]) // 2
    if left < 0 or top < 0:
        raise ValueError(
            f"boxes cannot be followed where the centre crop pads: a photo becomes {width}x{height} and the crop is "
            f"{crop['width']}x{crop['height']}"
        )
    return left, top
