"""A model with its gallery: one pipeline, and the same with a re-ranker."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from transformers import PreTrainedModel

from hf_fashion.embedding.capabilities import entity_names
from hf_fashion.embedding.saved_models import load_model
from hf_fashion.pipelines.fashion_retrieval import FashionRetrievalPipeline
from hf_fashion.pipelines.search_fashion_retrieval import open_gallery
from hf_fashion.retrieval.gallery import Gallery

from .named_attributes import add_named, read_attributes
from .products import Products


STRANGERS = {"allow_paths": False, "allow_urls": False}


@dataclass(frozen=True)
class Engine:
    """A pipeline and, where there is a re-ranker, the same pipeline with it.

    Args:
        name (`str`): the model's kind, such as `"E2"`.
        source (`str`): where it is from.
        plain ([`FashionRetrievalPipeline`]): searches.
        reranked ([`FashionRetrievalPipeline`], *optional*): searches and re-ranks.
    """

    name: str
    source: str
    plain: FashionRetrievalPipeline
    reranked: FashionRetrievalPipeline | None = None

    @classmethod
    def open(
        cls,
        path: str,
        gallery: str | None,
        products: Products,
        cache: str,
        reranker: str | None = None,
        new_attributes: str | None = None,
        text_encoder: str | None = None,
    ) -> Engine:
        """Load a model, and open its gallery or embed the catalogue.

        Args:
            path (`str`): folder or Hub id of the model.
            gallery (`str`, *optional*): its gallery; default: one below `cache`, which follows the catalogue, with the
                regions that the model has.
            products ([`Products`]): the catalogue.
            cache (`str`): folder of the galleries that are embedded here.
            reranker (`str`, *optional*): folder or Hub id of an FR.
            new_attributes (`str`, *optional*): attributes that are added by name, see [`read_attributes`].
            text_encoder (`str`, *optional*): folder or Hub id of the model that embeds their names.

        Raises:
            OSError: a model or gallery is missing or damaged.
            ValueError: gallery and model do not fit each other, or the model takes no attributes by name.
        """
        model, processor = load_model(path)
        name = model.config.model_type.upper()
        if gallery is None:
            gallery = embedded(products, model, processor, cache)
        if new_attributes:
            attributes = read_attributes(new_attributes)
            gallery = add_named(model, processor, open_gallery(gallery), attributes, text_encoder, products, cache)
        parts = {"model": model, "processor": processor, "device": model.device, **STRANGERS}
        plain = FashionRetrievalPipeline(gallery=gallery, **parts)
        if reranker is None:
            return cls(name, shortened(path), plain)
        opened = plain.finder.gallery
        return cls(name, shortened(path), plain, FashionRetrievalPipeline(gallery=opened, reranker=reranker, **parts))

    @property
    def gallery(self) -> Gallery:
        """The gallery that is searched."""
        return self.plain.finder.gallery


def embedded(products: Products, model: PreTrainedModel, processor: Any, cache: str) -> Gallery:
    """Open the gallery of a catalogue and make it follow the catalogue, or embed the catalogue where there is none.

    Args:
        products ([`Products`]): the catalogue.
        model (`PreTrainedModel`): the model.
        processor (`ProcessorMixin` or `BaseImageProcessor`): the model's.
        cache (`str`): folder of the galleries that are embedded here.

    Raises:
        OSError: the gallery is damaged.
        ValueError: a photo cannot be read, or a value is of another type than before.
    """
    # A change of a photo is searched best by E2's regions.
    regions = bool(entity_names(model)) and "image" not in entity_names(model)
    name = products.gallery_name(model, processor)
    uri = Path(cache, f"{name}-regions" if regions else name)
    parts = {"model": model, "processor": processor}
    try:
        gallery = Gallery.open(uri)
    except FileNotFoundError:
        return Gallery.from_dataset(**products.catalogue, **parts, uri=uri, regions=regions)
    print(f"{uri}: {gallery.sync(**products.photo_columns, **parts, delete_missing=True)}")
    return gallery


def shortened(path: str) -> str:
    """Return a Hub id as it is, and the last three parts of a longer path: strangers need not know the others.

    Args:
        path (`str`): folder or Hub id of a model.
    """
    return "/".join(Path(path).parts[-3:])
