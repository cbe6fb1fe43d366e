"""Pictures of where an attribute-specific model looked: attention round by round, and the region it cut out.

Source: Wan et al., "From spatial to semantic: attribute-aware fashion similarity learning via iterative positioning
and attribute diverging" (IPAD), 2025, figure 7.
"""

from collections.abc import Sequence

import torch
from PIL import Image, ImageDraw
from torch import nn
from transformers.image_transforms import convert_to_rgb


_LABEL_HEIGHT = 14
_WARM, _BOX = (235, 40, 40), (20, 160, 60)


def attention_on_photo(attention_maps: torch.Tensor, photo_size: tuple[int, int]) -> torch.Tensor:
    """Resize attention maps to the photo, of which the model saw the centre square.

    Args:
        attention_maps (`torch.Tensor` of shape `(..., h, w)`): attention over the model's input.
        photo_size (`tuple[int, int]`): height and width of the photo.

    Returns:
        `torch.Tensor` of shape `(..., height, width)`: float32; each map scaled to 0..1 inside the square, 0 outside
        it and where a map is constant.
    """
    height, width = photo_size
    edge = min(height, width)
    top, left = (height - edge) // 2, (width - edge) // 2
    maps = attention_maps.float().flatten(0, -3)[:, None]  # (M, 1, h, w)
    low, high = maps.amin((-1, -2), keepdim=True), maps.amax((-1, -2), keepdim=True)
    maps = (maps - low) / (high - low).clamp(min=torch.finfo(maps.dtype).tiny)
    square = nn.functional.interpolate(maps, size=(edge, edge), mode="bilinear")[:, 0]  # (M, edge, edge)
    photo = square.new_zeros(len(square), height, width)
    photo[:, top : top + edge, left : left + edge] = square
    return photo.unflatten(0, attention_maps.shape[:-2])


def draw_attention(
    photo: Image.Image,
    iteration_maps: torch.Tensor,
    names: Sequence[str],
    boxes: torch.Tensor | None = None,
    source_size: Sequence[int] | None = None,
) -> Image.Image:
    """Draw a row for each attribute: the photo with the region's box, then with the attention of each round.

    Args:
        photo (`PIL.Image.Image`): the photo before its centre crop, at any scale.
        iteration_maps (`torch.Tensor` of shape `(K, Iter, h, w)`): one image's attention; for models of one round
            `attention_maps.unsqueeze(1)`.
        names (`list[str]`): names of the K attributes.
        boxes (`torch.Tensor` of shape `(K, 4)`, *optional*): left, top, right, bottom of the regions.
        source_size (`tuple[int, int]`, *optional*): height and width that the boxes count in, the image's row of
            `source_sizes`; default: the photo's.

    Returns:
        `PIL.Image.Image`: K rows of 1 + Iter panels, each as wide as the photo and, with its label, 14 pixels higher.

    Raises:
        ValueError: if names, maps and boxes are not as many.
    """
    if len(names) != len(iteration_maps) or (boxes is not None and len(boxes) != len(names)):
        raise ValueError(
            f"`names`, `iteration_maps` and `boxes` must have one entry an attribute; got {len(names)} names, "
            f"{len(iteration_maps)} maps and {None if boxes is None else len(boxes)} boxes."
        )
    photo = Image.fromarray(convert_to_rgb(photo, return_numpy=True))  # transparent parts on white, as the processor
    heats = attention_on_photo(iteration_maps, (photo.height, photo.width)).cpu()  # (K, Iter, height, width)
    rounds = heats.shape[1]
    sheet = Image.new("RGB", (photo.width * (1 + rounds), (photo.height + _LABEL_HEIGHT) * len(names)), "white")
    draw = ImageDraw.Draw(sheet)
    for row, (name, heat) in enumerate(zip(names, heats, strict=True)):
        boxed = photo if boxes is None else _with_box(photo, boxes[row], source_size)
        panels = [boxed, *(_warmed(photo, panel) for panel in heat)]
        labels = [name, *(f"round {number}" for number in range(1, rounds + 1))]
        for column, (panel, label) in enumerate(zip(panels, labels, strict=True)):
            corner = column * photo.width, row * (photo.height + _LABEL_HEIGHT)
            sheet.paste(panel, corner)
            draw.text((corner[0] + 2, corner[1] + photo.height + 1), label, fill="black")
    return sheet


def _with_box(photo: Image.Image, box: torch.Tensor, source_size: Sequence[int] | None) -> Image.Image:
    height, width = (photo.height, photo.width) if source_size is None else map(int, source_size)
    left, top, right, bottom = box.tolist()
    scale_x, scale_y = photo.width / width, photo.height / height
    corners = (left * scale_x, top * scale_y, right * scale_x - 1, bottom * scale_y - 1)
    photo = photo.copy()
    ImageDraw.Draw(photo).rectangle(corners, outline=_BOX, width=max(1, photo.width // 60))
    return photo


def _warmed(photo: Image.Image, heat: torch.Tensor) -> Image.Image:
    strength = Image.fromarray((heat * 190).round().to(torch.uint8).numpy())
    return Image.composite(Image.new("RGB", photo.size, _WARM), photo, strength)


__all__ = ["attention_on_photo", "draw_attention"]
