"""Heat maps of E2's selections: which patches the tokens of each entity looked at, on the photo as it came."""

from collections.abc import Sequence

import torch
from PIL import Image, ImageDraw
from torch import nn
from transformers import BaseImageProcessor
from transformers.image_transforms import convert_to_rgb

from .photo_geometry_e2 import ModelFrame, model_frame


def region_maps(
    selections: Sequence,
    image_sizes: Sequence[tuple[int, int]],
    num_entities: int,
    image_processor: BaseImageProcessor,
) -> list[torch.Tensor]:
    """Return a heat map for each entity from the scores of the fusion blocks, in the pixels of the photo.

    Args:
        selections (`tuple[E2Selection]`): a model's selections, `scores` (B, E * n, N) over a grid of patches.
        image_sizes (`list[tuple[int, int]]`): B sizes (height, width) of the photos before the image processor.
        num_entities (`int`): E.
        image_processor (`BaseImageProcessor`): what made the model's input of the photos; its sizes say which part of
            a photo the model saw, and how its patches lie.

    Returns:
        `list[torch.Tensor]`: B maps (E, height, width); each entity's map is scaled to 0..1 over the part that the
        model saw, and 0 outside of it.

    Raises:
        ValueError: if the model has no fusion block, the patches do not fill an input of the processor's size, or as
            [`model_frame`].
    """
    if not selections:
        raise ValueError("There are no selections to map: the model's `fusion_layers` is empty.")
    scores = torch.stack([selection.scores.float() for selection in selections]).mean(0)  # (B, E * n, N)
    scores = scores.unflatten(1, (num_entities, -1)).mean(2)  # (B, E, N)
    low, high = scores.amin(-1, keepdim=True), scores.amax(-1, keepdim=True)
    scores = (scores - low) / (high - low).clamp(min=1e-12)
    maps = []
    for entities, (height, width) in zip(scores, image_sizes, strict=True):
        frame = model_frame(int(width), int(height), image_processor)
        maps.append(_on_photo(entities, frame, int(height), int(width)))
    return maps


def patch_grid(num_patches: int, height: int, width: int) -> tuple[int, int, int]:
    """Return rows, columns and size of the square patches of an image.

    Args:
        num_patches (`int`): N, of all patches together.
        height (`int`): height of the image, of which a rest smaller than a patch is not seen.
        width (`int`): width of the image.

    Raises:
        ValueError: no patch size gives that number.
    """
    fitting = [side for side in range(1, min(height, width) + 1) if (height // side) * (width // side) == num_patches]
    if not fitting:
        raise ValueError(
            f"{num_patches} patches do not fill the {height}x{width} pixels that the image processor gives: use the "
            "processor that made the model's input."
        )
    # Several sizes give the same rows and columns; the one that leaves no rest, where there is one.
    side = min(fitting, key=lambda side: (height % side + width % side, -side))
    return height // side, width // side, side


def _on_photo(entities: torch.Tensor, frame: ModelFrame, height: int, width: int) -> torch.Tensor:
    """Scores (E, N) of patches as maps (E, height, width): every pixel reads its place in the model's input."""
    rows, columns, side = patch_grid(entities.shape[-1], frame.height, frame.width)
    x = (torch.arange(width, device=entities.device) + 0.5) * frame.x_scale - frame.left
    y = (torch.arange(height, device=entities.device) + 0.5) * frame.y_scale - frame.top
    seen = ((y >= 0) & (y < frame.height))[:, None] & ((x >= 0) & (x < frame.width))  # (height, width)
    across, down = x / (columns * side) * 2 - 1, y / (rows * side) * 2 - 1  # the patches reach from -1 to 1
    places = torch.stack(torch.meshgrid(across, down, indexing="xy"), dim=-1)  # (height, width, 2)
    grid = entities.unflatten(-1, (rows, columns))[None]  # (1, E, rows, columns)
    maps = nn.functional.grid_sample(grid, places[None], padding_mode="border", align_corners=False)[0]
    return maps * seen


def draw_region_maps(image: Image.Image, maps: torch.Tensor, names: Sequence[str]) -> Image.Image:
    """Draw the image and, next to it, the image with each entity's heat map and the entity's name below.

    Args:
        image (`PIL.Image.Image`): the image, of the size the maps were made for.
        maps (`torch.Tensor` of shape `(E, H, W)`): values in 0..1.
        names (`list[str]`): E names.

    Returns:
        `PIL.Image.Image`: one row of 1 + E panels, each W wide and H + 14 high.

    Raises:
        ValueError: if image, maps and names do not fit each other.
    """
    if tuple(maps.shape) != (len(names), image.height, image.width):
        raise ValueError(
            f"`maps` must have shape {(len(names), image.height, image.width)} for this image and these names; "
            f"got {tuple(maps.shape)}."
        )
    image = Image.fromarray(convert_to_rgb(image, return_numpy=True))  # transparent parts on white, as the processor
    panels = [image, *(paint_heat(image, heat) for heat in maps)]
    row = Image.new("RGB", (image.width * len(panels), image.height + 14), "white")
    draw = ImageDraw.Draw(row)
    for column, (panel, name) in enumerate(zip(panels, ["", *names], strict=True)):
        row.paste(panel, (column * image.width, 0))
        draw.text((column * image.width + 2, image.height + 1), name, fill="black")
    return row


def paint_heat(image: Image.Image, heat: torch.Tensor) -> Image.Image:
    """Paint a heat map over an image: red, and the stronger the hotter.

    Args:
        image (`PIL.Image.Image`): the image, in RGB.
        heat (`torch.Tensor` of shape `(H, W)`): values in 0..1, one for each pixel.

    Returns:
        `PIL.Image.Image`: a new image of the same size.
    """
    mask = Image.fromarray((heat.clamp(0, 1) * 190).byte().cpu().numpy(), mode="L")
    return Image.composite(Image.new("RGB", image.size, (235, 40, 40)), image, mask)


__all__ = ["draw_region_maps", "paint_heat", "patch_grid", "region_maps"]
