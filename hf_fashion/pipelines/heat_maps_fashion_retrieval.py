"""Paints where a model looks in a photo: the maps of E2's tag entities, the attention of an attribute."""

from __future__ import annotations

import torch
from PIL import Image
from torch import Tensor

from ..embedding.capabilities import attribute_names, check_attribute
from ..embedding.encoder import Encoder
from ..embedding.features import inference, to_model
from ..models.attribute.attention_maps_attribute import attention_on_photo
from ..models.e2.region_maps_e2 import paint_heat, region_maps


LONGEST_EDGE = 1024  # of a painted photo: a map has as many numbers as the photo has pixels


def heat_maps(encoder: Encoder, photo: Image.Image, attribute: str | None = None) -> dict[str, Image.Image]:
    """Paint a photo's heat maps over it.

    Args:
        encoder ([`Encoder`]): the model and its image processor.
        photo (`PIL.Image.Image`): a photo in RGB.
        attribute (`str`, *optional*): the attribute, for attribute-specific models.

    Returns:
        `dict[str, PIL.Image.Image]`: name of the map -> the photo in grey, shrunk to `LONGEST_EDGE` if it is longer,
        with the map in red.

    Raises:
        ValueError: the model has no heat maps, or the attribute is missing or unknown.
    """
    check_attribute(encoder.model, attribute)
    shown = photo.copy()
    shown.thumbnail((LONGEST_EDGE, LONGEST_EDGE))
    grey = shown.convert("L").convert("RGB")  # on which red is seen, whatever colour the garment has
    inputs = to_model(encoder.model, encoder.prepare_photos([photo]))
    make = _region_maps if attribute is None else _attention_maps
    maps = make(encoder, inputs, (shown.height, shown.width), attribute)
    return {name: paint_heat(grey, heat) for name, heat in maps.items()}


def _region_maps(
    encoder: Encoder, inputs: dict[str, Tensor], size: tuple[int, int], attribute: None
) -> dict[str, Tensor]:
    """Entity -> (H, W) in 0..1."""
    model = encoder.model
    entities = getattr(model.config, "tag_entities", None)
    if not entities or not model.config.fusion_layers:
        raise ValueError(
            f"this {type(model).__name__} has no heat maps: those of an E2 with fusion blocks show what its tag "
            "entities looked at, those of ASEN, ASEN++ and IPAD where an attribute was found"
        )
    with inference(model):
        selections = model(pixel_values=inputs["pixel_values"]).selections
        (maps,) = region_maps(selections, [size], len(entities), encoder.image_processor)
    return dict(zip(entities, maps.cpu(), strict=True))


def _attention_maps(
    encoder: Encoder, inputs: dict[str, Tensor], size: tuple[int, int], attribute: str
) -> dict[str, Tensor]:
    """The attribute, or each round of IPAD, -> (H, W) in 0..1."""
    place = attribute_names(encoder.model).index(attribute)
    with inference(encoder.model):
        outputs = encoder.model(attribute_ids=torch.tensor([place], device=encoder.model.device), **inputs)
    if outputs.iteration_maps is None:
        return {attribute: attention_on_photo(outputs.attention_maps[0], size)[0].cpu()}
    maps = attention_on_photo(outputs.iteration_maps[0, 0], size).cpu()  # (rounds, H, W)
    return {f"round {number}": heat for number, heat in enumerate(maps, 1)}
