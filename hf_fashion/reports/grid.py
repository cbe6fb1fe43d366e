"""Draw a query and its results as one picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from PIL import Image, ImageDraw, ImageOps

from ..images import to_rgb
from ..messages import printable
from .fonts import font_for, shortened, wrapped


BACKGROUND = "white"
INK = "black"
QUERY_FRAME = (33, 102, 172)
MARGIN = 8
CAPTION_HEIGHT = 32  # two lines


def draw_grid(
    query: Image.Image | str,
    results: Sequence[Mapping[str, Any]],
    photos: Sequence[Image.Image | None],
    columns: int = 5,
    side: int = 160,
    caption: str = "query",
) -> Image.Image:
    """Draw the query at the left, framed, and right of it the results, row by row, each above its rank and id.

    A panel is `side` pixels wide and high, photos keep their proportions. Panels are `MARGIN` pixels apart, with
    `CAPTION_HEIGHT` pixels for the caption below each.

    Args:
        query (`PIL.Image.Image` or `str`): a photo or a text.
        results (`Sequence[Mapping]`): N results of one search, with `id`, `rank`, `initial_rank` and `score`.
        photos (`Sequence[PIL.Image.Image]`): their N photos; where one is `None` the panel is empty.
        columns (`int`, *optional*, defaults to 5): results in a row.
        side (`int`, *optional*, defaults to 160): width and height of a panel.
        caption (`str`, *optional*, defaults to `"query"`): text below the query.

    Raises:
        ValueError: the numbers of photos and results differ.
    """
    if len(results) != len(photos):
        raise ValueError(f"`photos` must be as many as `results`, got {len(photos)} and {len(results)}")
    rows = max(1, -(-len(results) // columns))
    size = (_offset(1 + min(columns, len(results)), side), MARGIN + rows * (side + CAPTION_HEIGHT + MARGIN))
    grid = Image.new("RGB", size, BACKGROUND)
    _paste(grid, _panel(query, side), (MARGIN, MARGIN), wrapped(caption, side, font_for(caption)))
    frame = (MARGIN - 3, MARGIN - 3, MARGIN + side + 2, MARGIN + side + 2)
    ImageDraw.Draw(grid).rectangle(frame, outline=QUERY_FRAME, width=3)
    for place, (result, photo) in enumerate(zip(results, photos, strict=True)):
        row, column = divmod(place, columns)
        corner = (_offset(column + 1, side), MARGIN + row * (side + CAPTION_HEIGHT + MARGIN))
        _paste(grid, _panel("" if photo is None else photo, side), corner, _caption(result, side))
    return grid


def _offset(panels: int, side: int) -> int:
    """Left edge of a panel that follows this number of others."""
    return MARGIN + panels * (side + MARGIN)


def _panel(content: Image.Image | str, side: int) -> Image.Image:
    """A photo, as large as fits, or a text."""
    if isinstance(content, str):
        panel = Image.new("RGB", (side, side), BACKGROUND)
        _write(panel, (MARGIN, MARGIN), wrapped(content, side - 2 * MARGIN, font_for(content)))
        return panel
    return ImageOps.pad(to_rgb(content), (side, side), color=BACKGROUND)


def _caption(result: Mapping[str, Any], side: int) -> str:
    moved = f", was {result['initial_rank']}" if result["initial_rank"] != result["rank"] else ""
    product_id = printable(str(result["id"]))
    # Paths in one folder differ at their ends.
    shown = shortened(product_id, side, font_for(product_id))
    return f"{result['rank']}{moved} ({result['score']:.3f})\n{shown}"


def _paste(grid: Image.Image, panel: Image.Image, corner: tuple[int, int], caption: str) -> None:
    grid.paste(panel, corner)
    _write(grid, (corner[0], corner[1] + panel.height + 3), caption)


def _write(picture: Image.Image, corner: tuple[int, int], text: str) -> None:
    ImageDraw.Draw(picture).multiline_text(corner, text, INK, font_for(text))
