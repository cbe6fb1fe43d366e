"""Draw the image of a product, and return the box of every attribute's region."""

import numpy as np
from PIL import Image, ImageDraw

from .garments import Cut, cut_garment
from .geometry import Box, Polygon, Pose, bounds, pixel_box
from .look import Look
from .marks import MARKS, SEASON_SIGNS, Colour, Layers
from .patterns import pattern_levels
from .vocabulary import ARTICLE_TYPES, COLOURS


SUPERSAMPLING = 2
CORNERS = ((0.12, 0.12), (0.88, 0.12), (0.12, 0.88), (0.88, 0.88))


def draw_product(look: Look, image_size: int, rng: np.random.Generator) -> tuple[Image.Image, dict[str, Box | None]]:
    """
    Draw a product in a random pose on a random background, with noise.

    Args:
        look (`Look`): what to draw.
        image_size (`int`): side of the image in pixels.
        rng (`np.random.Generator`): draws pose, shades, background and noise.

    Returns:
        `tuple[PIL.Image.Image, dict[str, Box | None]]`: the RGB image, and the box [x0, y0, x1, y1) in pixels of every
        attribute's region, `None` if the product has no such part.
    """
    cut = cut_garment(look.article_type, look.sleeve, look.neckline, look.hem, rng.uniform(0.45, 0.75))
    pose = _draw_pose(cut, image_size * SUPERSAMPLING, rng)
    canvas = _background(pose.size, rng)
    _draw_garment(canvas, cut, look, pose, rng)
    sign = _draw_season(canvas, look, rng)
    mark = _draw_mark(canvas, look, pose, rng)

    def box(polygons: list[Polygon]) -> Box:
        return pixel_box(polygons, SUPERSAMPLING, image_size)

    regions = {name: box([pose.place(part) for part in parts]) for name, parts in cut.regions.items()}
    whole = box([pose.place(part) for part in (cut.body, *cut.sleeves, *cut.back, *cut.flaps)])
    boxes = {"article_type": whole, "colour": whole, "brand": box(mark), "season": box(sign)}
    boxes["pattern"] = box([pose.place(cut.body)])
    for name in ("sleeve", "neckline", "hem"):
        boxes[name] = regions.get(name)
    return _finish(canvas, rng), boxes


def _draw_pose(cut: Cut, size: int, rng: np.random.Generator) -> Pose:
    x0, y0, x1, y1 = bounds([cut.body, *cut.sleeves, *cut.back, *cut.flaps])
    scale = min(rng.uniform(0.74, 0.9) / max(x1 - x0, y1 - y0), 1.4)
    centre = (0.5 + rng.uniform(-0.05, 0.05), 0.5 + rng.uniform(-0.04, 0.04))
    return Pose(centre, ((x0 + x1) / 2, (y0 + y1) / 2), scale, rng.uniform(-0.14, 0.14), size)


def _background(size: int, rng: np.random.Generator) -> Image.Image:
    """Draw a wall that fades from one light shade into another, with a few faint blots."""
    top, bottom = (rng.uniform(185, 232) + rng.uniform(-22, 22, 3) for _ in range(2))
    fade = np.linspace(0, 1, size)[:, None]
    column = (top * (1 - fade) + bottom * fade).astype(np.uint8)[:, None]  # (S, 1, 3)
    canvas = Image.fromarray(column).resize((size, size), Image.Resampling.NEAREST)
    draw = ImageDraw.Draw(canvas)
    for _ in range(int(rng.integers(0, 5))):
        x, y, radius = rng.uniform(0, size), rng.uniform(0, size), rng.uniform(0.03, 0.12) * size
        shade = tuple(int(value) for value in rng.uniform(170, 235, 3))
        draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=shade)
    return canvas


def _draw_garment(canvas: Image.Image, cut: Cut, look: Look, pose: Pose, rng: np.random.Generator) -> None:
    base = np.clip(np.array(COLOURS[look.colour]) + rng.uniform(-9, 9, 3), 0, 255)
    cloth = _weave(look.pattern, base, pose, rng)

    def fill(polygons: list[Polygon], colour: Colour) -> None:
        for polygon in polygons:
            ImageDraw.Draw(canvas).polygon(pose.place(polygon), fill=colour)
            _draw_edge(canvas, pose.place(polygon), _shade(base, 0.62))

    _drop_shadow(canvas, [pose.place(part) for part in (cut.body, *cut.sleeves)])
    fill(cut.back, _shade(base, 0.85))
    for polygon in (*cut.sleeves, cut.body):
        _paste_cloth(canvas, cloth, pose.place(polygon))
        _draw_edge(canvas, pose.place(polygon), _shade(base, 0.62))
    fill(cut.bands, _trimming(base))
    fill(cut.opening, _shade(base, 0.5))
    fill(cut.flaps, _shade(base, 1.12, 14))
    _draw_seams(canvas, cut, pose, _shade(base, 0.62))


def _trimming(base: np.ndarray) -> Colour:
    """Return a shade that stands out from the cloth: dark on light cloth, light on dark cloth."""
    return _shade(base, 0.4) if base.mean() > 110 else _shade(base, 0.8, 110)


def _paste_cloth(canvas: Image.Image, cloth: Image.Image, points: Polygon) -> None:
    mask = Image.new("L", canvas.size)
    ImageDraw.Draw(mask).polygon(points, fill=255)
    canvas.paste(cloth, mask=mask)


def _draw_edge(canvas: Image.Image, points: Polygon, colour: Colour) -> None:
    ImageDraw.Draw(canvas).line([*points, points[0]], fill=colour, width=_line_width(canvas), joint="curve")


def _draw_seams(canvas: Image.Image, cut: Cut, pose: Pose, colour: Colour) -> None:
    """Draw seams and buttons."""
    draw, line = ImageDraw.Draw(canvas), _line_width(canvas)
    for seam in cut.seams:
        draw.line(pose.place(seam), fill=colour, width=line)
    for x, y in pose.place(cut.buttons) if cut.buttons else ():
        draw.ellipse(
            (x - 1.5 * line, y - 1.5 * line, x + 1.5 * line, y + 1.5 * line), fill=(246, 240, 222), outline=colour
        )


def _line_width(canvas: Image.Image) -> int:
    return max(1, round(canvas.width / 128))


def _weave(pattern: str, base: np.ndarray, pose: Pose, rng: np.random.Generator) -> Image.Image:
    """Draw the hanging cloth: colour and pattern, darker towards the sides and in a few folds."""
    across, down = pose.grid()
    bright = base @ (0.299, 0.587, 0.114) > 135
    contrast = np.array((52, 52, 60)) if bright else np.array((236, 234, 226))
    palette = np.stack([base, (base + contrast) / 2, contrast]).astype(np.uint16)  # (3 levels, 3)
    levels = pattern_levels(pattern, across + rng.uniform(), down + rng.uniform(), rng.uniform(0.085, 0.105))
    folds = 0.96 - 0.9 * across**2 + 0.05 * np.sin(across * rng.uniform(18, 30) + down * rng.uniform(-8, 8))
    light = np.clip(folds * 256, 0, 256).astype(np.uint16)  # (S, S)
    return Image.fromarray((palette[levels] * light[..., None] >> 8).astype(np.uint8))


def _drop_shadow(canvas: Image.Image, polygons: list[Polygon]) -> None:
    shift = canvas.width * 0.015
    mask = Image.new("L", canvas.size)
    draw = ImageDraw.Draw(mask)
    for polygon in polygons:
        draw.polygon([(x + shift, y + shift) for x, y in polygon], fill=60)
    canvas.paste((30, 30, 40), mask=mask)


def _draw_mark(canvas: Image.Image, look: Look, pose: Pose, rng: np.random.Generator) -> list[Polygon]:
    place = np.array(ARTICLE_TYPES[look.article_type].places[look.place]) + rng.uniform(-0.012, 0.012, 2)
    radius = rng.uniform(0.125, 0.14) / pose.scale
    layers = [([tuple(place + radius * np.array(point)) for point in shape], ink) for shape, ink in MARKS[look.brand]]
    return _draw_layers(canvas, [(pose.place(shape), colour) for shape, colour in layers])


def _draw_season(canvas: Image.Image, look: Look, rng: np.random.Generator) -> list[Polygon]:
    centre = np.array(CORNERS[int(rng.integers(len(CORNERS)))]) + rng.uniform(-0.02, 0.02, 2)
    radius, size = rng.uniform(0.08, 0.1), canvas.width
    layers = [
        ([tuple((centre + radius * np.array(point)) * size) for point in shape], colour)
        for shape, colour in SEASON_SIGNS[look.season]
    ]
    return _draw_layers(canvas, layers)


def _draw_layers(canvas: Image.Image, layers: Layers) -> list[Polygon]:
    draw = ImageDraw.Draw(canvas)
    for polygon, colour in layers:
        draw.polygon(polygon, fill=colour)
    return [polygon for polygon, _ in layers]


def _shade(base: np.ndarray, factor: float, lift: float = 0.0) -> Colour:
    red, green, blue = np.clip(base * factor + lift, 0, 255).astype(int).tolist()
    return (red, green, blue)


def _finish(canvas: Image.Image, rng: np.random.Generator) -> Image.Image:
    """Reduce the canvas to the image size, with random brightness and grain."""
    pixels = np.asarray(canvas.reduce(SUPERSAMPLING), dtype=np.float32)  # (S, S, 3)
    grain = rng.standard_normal(pixels.shape, dtype=np.float32) * rng.uniform(2, 7)
    return Image.fromarray(np.clip(pixels * rng.uniform(0.88, 1.1) + grain, 0, 255).astype(np.uint8))
