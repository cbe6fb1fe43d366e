"""Attributes that a demo's owner adds to a model by their names: nothing is trained."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from transformers import BaseImageProcessor, PreTrainedModel

from hf_fashion.embedding.attribute_texts import embed_attribute_texts
from hf_fashion.retrieval.gallery import Gallery

from .products import Products


def read_attributes(text: str) -> dict[str, list[str]]:
    """Read names and values, such as `heel height: flat, mid, high; back neckline`.

    Args:
        text (`str`): attributes with `;` between them, `:` before their values and `,` between these.

    Returns:
        `dict[str, list[str]]`: attribute -> its values, which may be none.

    Raises:
        ValueError: a name is missing or comes twice.
    """
    found: dict[str, list[str]] = {}
    for part in filter(str.strip, text.split(";")):
        name, _, values = part.partition(":")
        name = name.strip()
        if not name or name in found:
            raise ValueError(f"FASHION_NEW_ATTRIBUTES: {part.strip()!r} has no name, or one that comes twice")
        found[name] = [value.strip() for value in values.split(",") if value.strip()]
    return found


def add_named(
    model: PreTrainedModel,
    processor: BaseImageProcessor,
    gallery: Gallery,
    attributes: Mapping[str, list[str]],
    text_encoder: str,
    products: Products,
    cache: str,
) -> Gallery:
    """Add attributes to a model by their names, and embed the catalogue for them into a copy of its gallery.

    Args:
        model (`PreTrainedModel`): an attribute model that was trained with `model.attribute_texts`; it is changed.
        processor (`BaseImageProcessor`): the model's.
        gallery ([`Gallery`]): the model's; it stays as it is.
        attributes (`Mapping[str, list[str]]`): attribute -> its values.
        text_encoder (`str`): folder or Hub id of what embedded the texts that the model was trained with.
        products ([`Products`]): the catalogue.
        cache (`str`): folder of the galleries that are embedded here.

    Returns:
        [`Gallery`]: with the spaces of the new attributes too, and the products of the other one.

    Raises:
        OSError: there is no such text encoder.
        ValueError: the model has such an attribute already, or its attributes are not given by text.
    """
    texts = embed_attribute_texts(text_encoder, attributes)
    for (name, values), text in zip(attributes.items(), texts, strict=True):
        model.add_attribute(name, values, text_embeds=text)
    uri = Path(cache, products.gallery_name(model, processor))
    with suppress(FileNotFoundError):
        earlier = Gallery.open(uri)
        earlier.delete(sorted(set(earlier.ids()) - set(gallery.ids())))
    return gallery.add_spaces(model=model, processor=processor, uri=uri, **products.photo_columns)
