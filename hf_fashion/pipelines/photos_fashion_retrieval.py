"""The photos of products, for results: matched with the gallery by their ids."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from PIL import Image
from transformers.utils import logging

from ..embedding.query_photos import ANYWHERE
from ..messages import shown


logger = logging.get_logger(__name__)


def open_photos(
    photos: Any, gallery: Any, id_column: str | None = None, image_column: str | None = None
) -> Mapping[str, Any]:
    """Return products' photos by id, and warn of products that have none.

    Args:
        photos (`Dataset`, `Mapping`, `str` or `Path`): a catalogue, as a dataset or by its name, or a dict from id to
            photo.
        gallery ([`Gallery`]): the gallery with the products; one without the call `ids` is not compared.
        id_column (`str`, *optional*): column of the ids, of a catalogue.
        image_column (`str`, *optional*): column of the photos, of a catalogue.

    Raises:
        ValueError: the catalogue cannot be read, no product has a photo, or columns are given for a dict.
        ImportError: `photos` is a catalogue and hf_fashion is not installed.
    """
    if not isinstance(photos, Mapping):
        photos = _of_catalogue(photos, id_column, image_column)
    elif id_column or image_column:
        raise ValueError("`id_column` and `image_column` are for a catalogue; `photos` is a dict from id to photo")
    if hasattr(gallery, "ids"):
        _compare(photos, gallery.ids())
    return photos


def photo_for(product_id: str, photos: Mapping[str, Any]) -> Image.Image | None:
    """Return a product's photo, upright and in RGB; `None` where there is none, or none that can be read, which a
    warning says.

    Args:
        product_id (`str`): id of the product.
        photos (`Mapping[str, Any]`): photos by id.
    """
    try:
        photo = photos.get(product_id)
        return None if photo is None else ANYWHERE.open(photo)
    except ValueError as error:
        logger.warning("product %s is shown without its photo: %s", shown(product_id), error)
        return None


def _of_catalogue(photos: Any, id_column: str | None, image_column: str | None) -> Mapping[str, Any]:
    try:
        from hf_fashion.retrieval.ingestion.catalogue_photos import CataloguePhotos
    except ImportError as error:
        raise ImportError(
            'reading the photos of a catalogue needs hf_fashion: pip install "hf-fashion[gallery]". Without it, give '
            "`photos` as a dict from id to photo"
        ) from error
    return CataloguePhotos.read(photos, id_column, image_column)


def _compare(photos: Mapping[str, Any], ids: list[str]) -> None:
    missing = sorted(product_id for product_id in ids if product_id not in photos)
    if not missing:
        return
    if len(missing) == len(ids):
        raise ValueError(
            f"`photos` has no photo of any product of the gallery, whose ids are such as {shown(missing[0])}; those "
            f"of `photos` are such as {shown(next(iter(photos), None))}. Name their column with `id_column`"
        )
    logger.warning(
        "%d of the gallery's %d products have no photo in `photos`, such as %s: the `image` of such a result is None",
        len(missing),
        len(ids),
        ", ".join(map(shown, missing[:3])),
    )
