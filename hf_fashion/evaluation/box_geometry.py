"""Where a place of the photo ends up in the square that the model sees."""

from collections.abc import Sequence

import torch
from torch import Tensor


def boxes_in_model_frame(boxes: Tensor, image_sizes: Sequence[tuple[int, int]], image_processor) -> Tensor:
    """Carries boxes from pixels of the photo to pixels of the processed image, through resize and centre crop.

    Args:
        boxes: (B, 4) as x0, y0, x1, y1 in pixels of the photo.
        image_sizes: B pairs (width, height) of the photos.
        image_processor: with CLIP's settings: `size` as height and width or as a shortest edge, and a centre crop
            that fits into the resized image.

    Returns:
        float32 (B, 4). A box that the crop cuts reaches beyond the processed image.

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


def _resized(width: int, height: int, image_processor) -> tuple[int, int]:
    if not image_processor.do_resize:
        return width, height
    size = dict(image_processor.size)
    if size.get("height") and size.get("width"):
        return size["width"], size["height"]
    if size.get("shortest_edge") and not size.get("longest_edge"):
        short, shortest = min(width, height), size["shortest_edge"]
        return tuple(shortest if side == short else int(shortest * side / short) for side in (width, height))
    raise ValueError(
        f"boxes can be followed through a `size` with height and width or with a shortest edge alone, got {size}"
    )


def _crop_offset(width: int, height: int, image_processor) -> tuple[int, int]:
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
