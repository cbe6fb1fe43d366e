"""Where the model's input lies on a photo: the geometry of an image processor's resize and centre crop."""

from dataclasses import dataclass

from transformers import BaseImageProcessor


@dataclass(frozen=True)
class ModelFrame:
    """Place and scale of the model's input on a photo: pixel x of the photo is pixel x * x_scale - left of the input.

    Args:
        x_scale (`float`): pixels of the resized photo for a pixel of the photo, along its width.
        y_scale (`float`): the same along its height.
        left (`int`): first column of the resized photo that the model sees.
        top (`int`): first row.
        width (`int`): width of the model's input.
        height (`int`): height of the model's input.
    """

    x_scale: float
    y_scale: float
    left: int
    top: int
    width: int
    height: int


def model_frame(width: int, height: int, image_processor: BaseImageProcessor) -> ModelFrame:
    """Return the frame that an image processor cuts out of a photo.

    Args:
        width (`int`): width of the photo in pixels.
        height (`int`): height of the photo.
        image_processor (`BaseImageProcessor`): with CLIP's settings: `size` as height and width or as a shortest edge,
            and a centre crop that fits into the resized image.

    Raises:
        ValueError: the processor resizes by another rule, pads, or the crop is larger than the resized image.
    """
    if getattr(image_processor, "do_pad", None):
        raise ValueError("a photo cannot be followed through `do_pad=True` of the image processor; switch it off")
    new_width, new_height = _resized(width, height, image_processor)
    seen_width, seen_height = new_width, new_height
    if image_processor.do_center_crop:
        seen_width, seen_height = image_processor.crop_size["width"], image_processor.crop_size["height"]
    if seen_width > new_width or seen_height > new_height:
        raise ValueError(
            "a photo cannot be followed where the centre crop pads: a photo becomes "
            f"{new_width}x{new_height} and the crop is {seen_width}x{seen_height}"
        )
    left, top = (new_width - seen_width) // 2, (new_height - seen_height) // 2
    return ModelFrame(new_width / width, new_height / height, left, top, seen_width, seen_height)


def input_size(image_processor: BaseImageProcessor) -> tuple[int, int]:
    """Return height and width of the model's inputs, which an image processor makes of every photo.

    Args:
        image_processor (`BaseImageProcessor`): with CLIP's settings.

    Raises:
        ValueError: its inputs differ from photo to photo.
    """
    size = dict(image_processor.size)
    if image_processor.do_center_crop:
        size = dict(image_processor.crop_size)
    if not (size.get("height") and size.get("width")):
        raise ValueError(f"the image processor makes inputs of several sizes: set a centre crop, got `size` {size}")
    return size["height"], size["width"]


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
        "a photo can be followed through a `size` with height and width or with only a shortest edge of the image "
        f"processor, got {size}"
    )


__all__ = ["ModelFrame", "input_size", "model_frame"]
