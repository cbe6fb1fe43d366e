"""The region crop: attention maps to boxes in the photo, boxes to images for a second look.

Source: Dong et al., "Fine-Grained Fashion Similarity Prediction by Attribute-Specific Embedding Learning" (ASEN++),
IEEE TIP 2021; IPAD takes its regions by the same rule.
"""

import torch
from torch import nn


@torch.no_grad()
def region_boxes(
    attention_maps: torch.Tensor,
    source_sizes: torch.Tensor,
    image_size: int,
    threshold: float = 0.1,
    published: bool = False,
) -> torch.Tensor:
    """Return square boxes around everything that a map attends to, in the photo before its centre crop.

    The map is scaled to the model's input, min-max normalised and kept where it exceeds the threshold (in bytes, as
    the authors do). The box of all kept pixels is made square on its longer edge, pushed inside the input and mapped
    back through the centre crop. A constant map and one with NaN mean the whole photo.

    Args:
        attention_maps (`torch.Tensor` of shape `(M, h, w)`): attention over the model's input, any scale.
        source_sizes (`torch.Tensor` of shape `(M, 2)`): height and width of each photo. Its shortest edge was scaled
            to `image_size` and its centre cropped to give the model's input.
        image_size (`int`): edge of the model's input, in pixels.
        threshold (`float`): share of the normalised map's range that a kept pixel exceeds, in [0, 1).
        published (`bool`): leave a box of odd edge where it is if it reaches one pixel beyond the input, as the
            authors' code does, which counts half of the edge on either side of the centre. In the photo that is up to
            one more than the photo's shortest edge divided by `image_size`.

    Returns:
        `torch.Tensor` of shape `(M, 4)`: left, top, right, bottom in pixels of the photo, long, right and bottom
        exclusive; no gradient.

    Raises:
        ValueError: if the shapes do not fit each other.
    """
    if attention_maps.ndim != 3 or source_sizes.shape != (attention_maps.shape[0], 2):
        raise ValueError(
            "`attention_maps` must have shape (M, h, w) and `source_sizes` (M, 2); got "
            f"{tuple(attention_maps.shape)} and {tuple(source_sizes.shape)}."
        )
    sizes = source_sizes.to(attention_maps.device).long()
    maps = attention_maps.float()
    scaled = nn.functional.interpolate(maps[:, None], size=(image_size, image_size), mode="bilinear")[:, 0]
    low, high = scaled.amin((1, 2), keepdim=True), scaled.amax((1, 2), keepdim=True)
    shades = ((scaled - low) / (high - low) * 255).floor()  # (M, S, S)
    kept = shades > int(255 * threshold)
    left, right = _extent(kept.any(1))  # (M,)
    top, bottom = _extent(kept.any(2))
    edge = torch.maximum(right - left, bottom - top)
    origin = torch.stack([(left + right) // 2, (top + bottom) // 2], dim=1) - (edge // 2)[:, None]  # (M, 2): x, y
    allowed = (edge % 2 if published else 0 * edge)[:, None]  # pixels that a box may reach beyond the input
    inside = (image_size - edge)[:, None]  # (M, 1)
    origin = torch.where(origin > inside + allowed, inside, origin).clamp(min=0)

    photo = sizes.flip(1)  # (M, 2): width, height
    crop_edge = photo.amin(1, keepdim=True)
    corner = (photo - crop_edge) // 2 + origin * crop_edge // image_size
    boxes = torch.cat([corner, corner + (edge[:, None] * crop_edge // image_size).clamp(min=1)], dim=1)
    # Scaling a constant map leaves rounding noise, so check for one on the maps as they came.
    attends = (maps.amax((1, 2)) > maps.amin((1, 2))) & kept.any(2).any(1)
    return torch.where(attends[:, None], boxes, torch.cat([torch.zeros_like(photo), photo], dim=1))


def _extent(marked: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the first marked place and the place after the last one, of each row of (M, S)."""
    marked = marked.long()
    return marked.argmax(1), marked.shape[1] - marked.flip(1).argmax(1)


def crop_regions(source_pixel_values: torch.Tensor, boxes: torch.Tensor, size: int) -> torch.Tensor:
    """Crop boxes from photos and resize each to a square.

    Bilinear, with a filter as wide as the scale where a box is shrunk: each crop equals `interpolate(crop, size,
    mode="bilinear", antialias=True)`. Both axes are matrix products, so boxes of all sizes are cut at once and nothing
    outside a box is read.

    Args:
        source_pixel_values (`torch.Tensor` of shape `(B, 3, H', W')`): photos, padded at right and bottom.
        boxes (`torch.Tensor` of shape `(B, K, 4)`): left, top, right, bottom in pixels, inside the unpadded part.
        size (`int`): edge of the crops.

    Returns:
        `torch.Tensor` of shape `(B * K, 3, size, size)`: crops, those of one image in a row; no gradient to the boxes.

    Raises:
        ValueError: if the shapes do not fit each other.
    """
    if source_pixel_values.ndim != 4 or boxes.ndim != 3 or boxes.shape[0::2] != (source_pixel_values.shape[0], 4):
        raise ValueError(
            "`source_pixel_values` must have shape (B, 3, H', W') and `boxes` (B, K, 4); got "
            f"{tuple(source_pixel_values.shape)} and {tuple(boxes.shape)}."
        )
    height, width = source_pixel_values.shape[2:]
    left, top, right, bottom = boxes.to(source_pixel_values.device).unbind(-1)  # (B, K)
    dtype = source_pixel_values.dtype
    columns = _sampling_weights(left, right, width, size, dtype)  # (B, K, size, W')
    rows = _sampling_weights(top, bottom, height, size, dtype)  # (B, K, size, H')
    narrow = torch.einsum("bchw,bktw->bkcht", source_pixel_values, columns)  # (B, K, 3, H', size)
    return torch.einsum("bkcht,bksh->bkcst", narrow, rows).flatten(0, 1)


@torch.no_grad()
def _sampling_weights(
    start: torch.Tensor, end: torch.Tensor, length: int, size: int, dtype: torch.dtype
) -> torch.Tensor:
    """Return the weight of `length` pixels in each of `size` samples from start to end, (..., size, length)."""
    exact = torch.promote_types(dtype, torch.float32)
    start, end = start[..., None, None].to(exact), end[..., None, None].to(exact)
    scale = (end - start) / size
    samples = start + (torch.arange(size, dtype=exact, device=start.device)[:, None] + 0.5) * scale
    pixels = torch.arange(length, dtype=exact, device=start.device) + 0.5
    weights = (1 - (pixels - samples).abs() / scale.clamp(min=1)).clamp(min=0)
    weights = weights * ((pixels > start) & (pixels < end))
    return (weights / weights.sum(-1, keepdim=True)).to(dtype)


__all__ = ["crop_regions", "region_boxes"]
