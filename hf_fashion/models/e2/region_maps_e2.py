"""Heat maps of E2's selections: which patches the tokens of each entity looked at."""

from collections.abc import Sequence

import torch
from PIL import Image, ImageDraw
from torch import nn


def region_maps(selections: Sequence, image_sizes: Sequence[tuple[int, int]], num_entities: int) -> list[torch.Tensor]:
    """Return a heat map for each entity from the scores of the fusion blocks.

    Args:
        selections (`tuple[E2Selection]`): a model's selections, `scores` (B, E * n, N) over a square grid of patches.
        image_sizes (`list[tuple[int, int]]`): B sizes (height, width) that the maps are scaled to.
        num_entities (`int`): E.

    Returns:
        `list[torch.Tensor]`: B maps (E, height, width); each entity's map is scaled to 0..1.

    Raises:
        ValueError: if the model has no fusion block, or the patches form no square grid.
    """
    if not selections:
        raise ValueError("There are no selections to map: the model's `fusion_layers` is empty.")
    scores = torch.stack([selection.scores.float() for selection in selections]).mean(0)  # (B, E * n, N)
    side = round(scores.shape[-1] ** 0.5)
    if side * side != scores.shape[-1]:
        raise ValueError(f"Region maps need a square grid of patches; got {scores.shape[-1]} patches.")
    grids = scores.unflatten(1, (num_entities, -1)).mean(2).unflatten(-1, (side, side))  # (B, E, side, side)
    low, high = grids.amin((-1, -2), keepdim=True), grids.amax((-1, -2), keepdim=True)
    grids = (grids - low) / (high - low).clamp(min=1e-12)
    sizes = zip(grids, image_sizes, strict=True)
    return [nn.functional.interpolate(grid[None], size=tuple(size), mode="bilinear")[0] for grid, size in sizes]


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
    image = image.convert("RGB")
    panels = [image, *(_heat(image, heat) for heat in maps)]
    row = Image.new("RGB", (image.width * len(panels), image.height + 14), "white")
    draw = ImageDraw.Draw(row)
    for column, (panel, name) in enumerate(zip(panels, ["", *names], strict=True)):
        row.paste(panel, (column * image.width, 0))
        draw.text((column * image.width + 2, image.height + 1), name, fill="black")
    return row


def _heat(image: Image.Image, heat: torch.Tensor) -> Image.Image:
    mask = Image.fromarray((heat.clamp(0, 1) * 190).byte().cpu().numpy(), mode="L")
    return Image.composite(Image.new("RGB", image.size, (235, 40, 40)), image, mask)


__all__ = ["draw_region_maps", "region_maps"]
