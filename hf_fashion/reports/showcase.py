"""Examples for a report: what a model finds for a text, a photo or a tag, and where its tokens looked."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from datasets import Dataset
from PIL import Image, ImageDraw
from torch import Tensor
from transformers import PreTrainedModel, ProcessorMixin

from ..embedding.features import inference
from .report_page import figure, picture_row, ranked_texts


BOX_COLOUR = (26, 143, 60)


@dataclass
class Gallery:
    """
    Args:
        photos: N pictures.
        titles: their N titles.
        image_embeds: (N, P), normalised.
        text_embeds: (N, P), of the titles, normalised.
    """

    photos: Sequence[Image.Image]
    titles: Sequence[str]
    image_embeds: Tensor
    text_embeds: Tensor


def photos_by_title(gallery: Gallery, rows: Sequence[int], k: int = 5) -> str:
    """HTML: the titles of some rows and the k best photos of each; right is the photo that has the title.

    Args:
        gallery: what is searched.
        rows: places of the queries in it.
        k: photos a query.
    """
    found = top_k(gallery.text_embeds[list(rows)], gallery.image_embeds, k)
    return "\n".join(
        picture_row(gallery.titles[row], _photos(gallery, places, [place == row for place in places]))
        for row, places in zip(rows, found, strict=True)
    )


def titles_by_photo(gallery: Gallery, rows: Sequence[int], k: int = 5) -> str:
    """HTML: the photos of some rows and the k best titles of each; right is the photo's own.

    Args:
        gallery: what is searched.
        rows: places of the queries in it.
        k: titles a query.
    """
    lines = []
    for row, places in zip(rows, top_k(gallery.image_embeds[list(rows)], gallery.text_embeds, k), strict=True):
        texts = ranked_texts([gallery.titles[place] for place in places], [place == row for place in places])
        lines.append(picture_row("", [figure(gallery.photos[row], gallery.titles[row]), texts]))
    return "\n".join(lines)


def photos_by_tag(
    gallery: Gallery,
    queries: Sequence[str],
    query_embeds: Tensor,
    embeds: Tensor,
    tags: Sequence[str | None],
    k: int = 5,
) -> str:
    """HTML: tags and the k best photos of each; right is a photo that has the tag.

    Args:
        gallery: what is searched.
        queries: Q tags of one entity.
        query_embeds: (Q, P), their embeddings, normalised.
        embeds: (N, P), the photos' embeddings for this entity, normalised.
        tags: the photos' N true tags.
        k: photos a query.
    """
    found = top_k(query_embeds, embeds, k)
    return "\n".join(
        picture_row(query, _photos(gallery, places, [tags[place] == query for place in places]))
        for query, places in zip(queries, found, strict=True)
    )


def top_k(queries: Tensor, candidates: Tensor, k: int) -> list[list[int]]:
    """Places of the k candidates (N, P) nearest to each of the queries (Q, P), best first."""
    return (queries @ candidates.T).topk(k).indices.tolist()


@torch.no_grad()
def region_strips(
    model: PreTrainedModel, processor: ProcessorMixin, dataset: Dataset, rows: Sequence[int], side: int = 176
) -> list[Image.Image]:
    """Photos under the heat map of every entity, the entity's true box outlined.

    Args:
        model: an E2 with a fusion block, which sees the whole photo (no crop).
        processor: its processor.
        dataset: rows with a square `image` and `boxes`, entity -> [x0, y0, x1, y1] in its pixels, or null.
        rows: which photos.
        side: width and height of a panel in pixels.

    Returns:
        A picture a row, as `processor.draw_region_maps` makes it.
    """
    examples = [dataset[row] for row in rows]
    photos = [example["image"].convert("RGB") for example in examples]
    with inference(model):
        pixels = processor(images=photos, return_tensors="pt")["pixel_values"]
        outputs = model(pixel_values=pixels.to(model.device, model.dtype))
    maps = processor.post_process_region_maps(outputs, image_sizes=[(side, side)] * len(photos))
    strips = []
    for example, photo, heat in zip(examples, photos, maps, strict=True):
        strip = processor.draw_region_maps(photo.resize((side, side)), heat)
        boxes = [example["boxes"].get(entity) for entity in processor.tag_entities]
        outline_boxes(strip, boxes, side, side / photo.width)
        strips.append(strip)
    return strips


def outline_boxes(strip: Image.Image, boxes: Sequence[Sequence[float] | None], side: int, scale: float) -> None:
    """Outlines the box of panel 1, 2, ... of a strip; panel 0, the photo, has none.

    Args:
        strip: panels of width `side` beside each other; it is drawn on.
        boxes: x0, y0, x1, y1 in pixels of the photo, one a panel after the first; `None` where there is none.
        side: width of a panel.
        scale: panel pixels a photo pixel.
    """
    draw = ImageDraw.Draw(strip)
    for panel, box in enumerate(boxes, start=1):
        if box:
            x0, y0, x1, y1 = (value * scale for value in box)
            draw.rectangle((panel * side + x0, y0, panel * side + x1 - 1, y1 - 1), outline=BOX_COLOUR, width=2)


def _photos(gallery: Gallery, places: Sequence[int], right: Sequence[bool]) -> list[str]:
    return [
        figure(gallery.photos[place], gallery.titles[place], gallery.titles[place], "right" if hit else "")
        for place, hit in zip(places, right, strict=True)
    ]
