"""Draw where models look: heat maps of E2's tags, attention of attributes, and true boxes."""

from collections.abc import Sequence

import torch
from datasets import Dataset
from PIL import Image, ImageDraw
from transformers import BaseImageProcessor, PreTrainedModel, ProcessorMixin

from ..data.photos.stored_photos import StoredPhotos
from ..embedding.attribute_corpus import image_batches
from ..embedding.features import inference
from ..models.attribute.attention_maps_attribute import draw_attention


BOX_COLOUR = (26, 143, 60)


@torch.no_grad()
def region_strips(
    model: PreTrainedModel, processor: ProcessorMixin, dataset: Dataset, rows: Sequence[int], side: int = 176
) -> list[Image.Image]:
    """Draw photos under the heat map of every entity, with the entity's true box outlined.

    Args:
        model (`PreTrainedModel`): an E2 with a fusion block.
        processor (`ProcessorMixin`): its processor.
        dataset (`Dataset`): rows with a square `image` and `boxes`, entity -> [x0, y0, x1, y1] in its pixels, or null.
        rows (`Sequence[int]`): which photos.
        side (`int`, *optional*, defaults to 176): width and height of a panel in pixels.

    Returns:
        `list[PIL.Image.Image]`: a picture a row, made by `processor.draw_region_maps`.
    """
    photos = list(StoredPhotos(dataset, "image").select(rows))
    with inference(model):
        pixels = processor(images=photos, return_tensors="pt")["pixel_values"]
        outputs = model(pixel_values=pixels.to(model.device, model.dtype))
    maps = processor.post_process_region_maps(outputs, image_sizes=[(side, side)] * len(photos))
    true_boxes, strips = dataset["boxes"], []
    for row, photo, heat in zip(rows, photos, maps, strict=True):
        strip = processor.draw_region_maps(photo.resize((side, side)), heat)
        boxes = [true_boxes[row].get(entity) for entity in processor.tag_entities]
        outline_boxes(strip, boxes, side, side / photo.width)
        strips.append(strip)
    return strips


def outline_boxes(strip: Image.Image, boxes: Sequence[Sequence[float] | None], side: int, scale: float) -> None:
    """Draw the outline of a box into panel 1, 2, ... of a strip; panel 0, the photo, has none.

    Args:
        strip (`PIL.Image.Image`): panels of width `side` next to each other; it is drawn on.
        boxes (`Sequence[Sequence[float] | None]`): x0, y0, x1, y1 in pixels of the photo, one for each panel after the
            first; `None` where there is none.
        side (`int`): width of a panel.
        scale (`float`): panel pixels for a photo pixel.
    """
    draw = ImageDraw.Draw(strip)
    for panel, box in enumerate(boxes, start=1):
        if box:
            x0, y0, x1, y1 = (value * scale for value in box)
            draw.rectangle((panel * side + x0, y0, panel * side + x1 - 1, y1 - 1), outline=BOX_COLOUR, width=2)


def attention_sheets(
    model: PreTrainedModel,
    image_processor: BaseImageProcessor,
    dataset: Dataset,
    rows: Sequence[int],
    image_column: str = "image",
    side: int = 120,
) -> list[Image.Image]:
    """Draw where the model looks: a picture a photo, in it a row an attribute, made by `draw_attention`.

    Args:
        model (`PreTrainedModel`): returns `attention_maps` or `iteration_maps`, and `boxes` where it has a local
            branch.
        image_processor (`BaseImageProcessor`): its image processor.
        dataset (`Dataset`): rows with a square photo.
        rows (`Sequence[int]`): which photos.
        image_column (`str`, *optional*, defaults to `"image"`): column of the photo.
        side (`int`, *optional*, defaults to 120): width and height of a panel in pixels.
    """
    shown = dataset.select(rows)
    wanted = torch.ones(len(shown), len(model.config.attribute_names), dtype=torch.bool)
    _, _, inputs = next(image_batches(model, image_processor, shown, wanted, image_column, len(shown)))
    with inference(model):
        outputs = model(**inputs)
    maps = outputs.iteration_maps
    maps = outputs.attention_maps.unsqueeze(2) if maps is None else maps  # (B, A, rounds, h, w)
    sizes = inputs.get("source_sizes", torch.tensor(inputs["pixel_values"].shape[2:]).expand(len(shown), 2))
    sheets = []
    for number, photo in enumerate(StoredPhotos(shown, image_column)):
        boxes = None if outputs.boxes is None else outputs.boxes[number].cpu()
        panel, size = photo.resize((side, side)), sizes[number].tolist()
        sheets.append(draw_attention(panel, maps[number], model.config.attribute_names, boxes, size))
    return sheets
