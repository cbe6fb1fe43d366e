"""The catalogue behind the demo: its photos by the ids of products, and the columns that a gallery can hold."""

from __future__ import annotations

import base64
import logging
from collections.abc import Sequence
from functools import lru_cache
from hashlib import blake2b
from io import BytesIO
from itertools import islice
from typing import Any

import pyarrow as pa
from datasets import ClassLabel, Value
from PIL import Image
from transformers import PreTrainedModel

from hf_fashion.data.sources.source_rows import own_columns
from hf_fashion.embedding.fingerprint import embedder_fingerprint
from hf_fashion.retrieval.ingestion.catalogue import Catalogue
from hf_fashion.retrieval.ingestion.catalogue_photos import CataloguePhotos
from hf_fashion.retrieval.ingestion.load_catalogue import load_catalogue

from .settings import Settings


THUMBNAIL = 320  # pixels of the longest edge
CACHED_THUMBNAILS = 2000

logger = logging.getLogger(__name__)


class Products:
    """Photos of a catalogue by the ids of its products.

    Args:
        catalogue (`dict`): what `load_catalogue` returns: `dataset`, `id_column` and `image_column`.
        columns (`Sequence[str]`, *optional*): columns for titles, filters and results. Default: all of them that a
            gallery can hold.
        source (`str`, *optional*, defaults to `""`): where the catalogue is from.

    Raises:
        ValueError: a column is missing, or ids are missing or come twice.
    """

    def __init__(self, catalogue: dict[str, Any], columns: Sequence[str] | None = None, source: str = ""):
        dataset, ids, images = (catalogue[name] for name in ("dataset", "id_column", "image_column"))
        self._photos = CataloguePhotos(Catalogue(dataset, ids, images, metadata_columns=[]))
        if columns is None:
            others = [name for name in own_columns(dataset) if name not in (ids, images)]
            columns = [name for name in others if _is_metadata(dataset.features[name])]
        self.catalogue = catalogue | {"metadata_columns": list(columns)}
        self.photo_columns = {"dataset": dataset, "id_column": ids, "image_column": images}
        # Another catalogue, and one with other columns, has a gallery of its own.
        self._key = blake2b("\n".join([source, ids, images, *columns]).encode(), digest_size=4).hexdigest()
        self.thumbnail = lru_cache(CACHED_THUMBNAILS)(self._thumbnail)

    @classmethod
    def load(cls, settings: Settings) -> Products:
        """Load the catalogue that the settings name.

        Args:
            settings ([`Settings`]): names the photos and their columns.
        """
        parts = {"split": settings.split, "id_column": settings.id_column, "image_column": settings.image_column}
        columns = settings.columns and [name.strip() for name in settings.columns.split(",")]
        return cls(load_catalogue(settings.photos, **parts), columns, f"{settings.photos} {settings.split}")

    def __len__(self) -> int:
        return len(self._photos)

    def gallery_name(self, model: PreTrainedModel, processor: Any) -> str:
        """Return the name of the folder in which the gallery of this catalogue is embedded.

        Args:
            model (`PreTrainedModel`): what embeds it.
            processor (`ProcessorMixin` or `BaseImageProcessor`): the model's.
        """
        return f"{embedder_fingerprint(model, processor)}-{self._key}"

    def first(self, number: int) -> list[str]:
        """Return the ids of the first products.

        Args:
            number (`int`): how many.
        """
        return list(islice(self._photos, number))

    def photo(self, product_id: str) -> Image.Image:
        """Return the photo of a product.

        Args:
            product_id (`str`): its id.

        Raises:
            ValueError: there is no such product, or its photo cannot be read.
        """
        if product_id not in self._photos:
            raise ValueError("The catalogue has no photo of this product.")
        try:
            return self._photos[product_id]
        except ValueError as error:  # it names a file of the server
            logger.warning("%r is shown without its photo: %s", product_id, error)
            raise ValueError("The photo of this product cannot be read.") from error

    def _thumbnail(self, product_id: str) -> str | None:
        """A small photo as a data URL, `None` where the catalogue has none that can be read."""
        try:
            photo = self.photo(product_id)
        except ValueError:
            return None
        photo.thumbnail((THUMBNAIL, THUMBNAIL), Image.Resampling.LANCZOS)
        return data_url(photo)


def data_url(photo: Image.Image) -> str:
    """Return a photo as a `data:` URL of a JPEG.

    Args:
        photo (`PIL.Image.Image`): in RGB.
    """
    encoded = BytesIO()
    photo.save(encoded, format="JPEG", quality=88)
    return "data:image/jpeg;base64," + base64.b64encode(encoded.getvalue()).decode()


def _is_metadata(feature: Any) -> bool:
    return isinstance(feature, ClassLabel) or (isinstance(feature, Value) and not pa.types.is_binary(feature.pa_type))
