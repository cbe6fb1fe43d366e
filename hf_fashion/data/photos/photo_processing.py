"""Process one photo as an image processor does, without its copies of the photo in full size."""

from __future__ import annotations

from typing import Any

from PIL import Image
from transformers import BaseImageProcessor, BatchFeature
from transformers.image_processing_backends import PilBackend


def process_photo(image_processor: BaseImageProcessor, photo: Image.Image, **options: Any) -> BatchFeature:
    """Process one photo, to the same numbers as `image_processor(photo)`.

    An image processor copies a photo four times before it resizes it: 0.3 GB for 24 megapixels. Where it resizes by
    Pillow and by a rule that is known here, the photo is resized before it gets it.

    Args:
        image_processor (`BaseImageProcessor`): a model's.
        photo (`PIL.Image.Image`): a photo in RGB.
        options (`Any`): of the image processor's call, such as `return_tensors`.
    """
    size = resized_size(*photo.size, image_processor) if _resizes_by_pillow_first(image_processor) else None
    if size is None:
        return image_processor([photo], **options)
    resized = photo.resize(size, image_processor.resample)
    if not getattr(image_processor, "do_source", False):
        return image_processor([resized], **options)
    source = _source(photo, image_processor)
    inputs = image_processor([source], **options)
    inputs["pixel_values"] = image_processor([resized], do_source=False, **options)["pixel_values"]
    return inputs


def resized_size(width: int, height: int, image_processor: BaseImageProcessor) -> tuple[int, int] | None:
    """Return the width and height that a photo is resized to, `None` where the rule is not known here.

    Known are a `size` with height and width, and one with only a shortest edge.

    Args:
        width (`int`): the photo's.
        height (`int`): the photo's.
        image_processor (`BaseImageProcessor`): a model's.
    """
    if not image_processor.do_resize:
        return width, height
    size = {name: value for name, value in dict(image_processor.size).items() if value}
    if set(size) == {"height", "width"}:
        return size["width"], size["height"]
    if set(size) == {"shortest_edge"}:
        short, shortest = min(width, height), size["shortest_edge"]
        return tuple(shortest if side == short else int(shortest * side / short) for side in (width, height))
    return None


def _resizes_by_pillow_first(image_processor: BaseImageProcessor) -> bool:
    """Whether the first step is transformers' resizing by Pillow, as it is for CLIP, E2, ASEN and IPAD."""
    if not isinstance(image_processor, PilBackend) or type(image_processor).resize is not PilBackend.resize:
        return False
    known = type(image_processor)._preprocess is PilBackend._preprocess or hasattr(image_processor, "do_source")
    return known and image_processor.do_resize and isinstance(image_processor.resample, int)


def _source(photo: Image.Image, image_processor: BaseImageProcessor) -> Image.Image:
    """A photo as attribute-specific models cut their regions from: shrunk to `source_longest_edge`."""
    scale = image_processor.source_longest_edge / max(photo.size)
    if scale >= 1:
        return photo
    width, height = (max(1, round(side * scale)) for side in photo.size)
    return photo.resize((width, height), image_processor.resample)
