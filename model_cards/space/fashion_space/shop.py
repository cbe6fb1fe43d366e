"""Everything that the demo searches: models with their galleries, and the products' photos."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Any

from PIL import Image

from hf_fashion.embedding.capabilities import attribute_names
from hf_fashion.embedding.saved_models import load_model
from hf_fashion.models.captioner.pipeline_captioner import FashionCaptioningPipeline, captioning_pipeline

from .engine import Engine, shortened
from .filters import Filter, find_filters
from .products import Products
from .queries import Form
from .settings import Settings


TITLES = ("title", "name", "caption", "product_name")


@dataclass(frozen=True)
class Found:
    """Results of one search.

    Args:
        engine ([`Engine`]): what searched.
        results (`list[dict]`): the nearest products.
        reranked (`list[dict]`, *optional*): the same search re-ranked, where it was asked for.
    """

    engine: Engine
    results: list[dict[str, Any]]
    reranked: list[dict[str, Any]] | None = None


class Shop:
    """Models, galleries and photos of one catalogue.

    Args:
        products ([`Products`]): the catalogue.
        whole ([`Engine`], *optional*): compares whole products, and reads words if its model does.
        by_attribute ([`Engine`], *optional*): compares one attribute.
        settings ([`Settings`]): title and examples.
        captioner ([`FashionCaptioningPipeline`], *optional*): puts photos into words.
    """

    def __init__(
        self,
        products: Products,
        whole: Engine | None,
        by_attribute: Engine | None,
        settings: Settings,
        captioner: FashionCaptioningPipeline | None = None,
    ):
        self.captioner = captioner
        self.products, self.whole, self.by_attribute, self.settings = products, whole, by_attribute, settings
        self.attributes = [] if by_attribute is None else list(attribute_names(by_attribute.plain.model))
        self.columns = self._common_columns()
        self.title = settings.title or next((name for name in TITLES if name in self.columns), None)
        if self.title and self.title not in self.columns:
            raise ValueError(f"FASHION_TITLE is {self.title!r}, the gallery's columns are {self.columns}")
        self._table = self._main.gallery.products()
        self._rows = {product_id: row for row, product_id in enumerate(self._table["id"].to_pylist())}
        columns = [name for name in self.columns if name != self.title]
        self.filters: list[Filter] = find_filters(self._table, columns)
        # Tokenizers refuse two threads at once, and one search uses all cores.
        self._model_lock = threading.Lock()

    @classmethod
    def open(cls, settings: Settings) -> Shop:
        """Load what the settings name.

        Args:
            settings ([`Settings`]): models and photos.

        Raises:
            OSError: something is missing or damaged.
            ValueError: parts do not fit each other.
        """
        products = Products.load(settings)
        common = {"products": products, "cache": settings.cache}
        whole = settings.e2 and Engine.open(settings.e2, settings.e2_gallery, **common)
        by_attribute = settings.attributes and Engine.open(
            settings.attributes,
            settings.attributes_gallery,
            reranker=settings.reranker,
            new_attributes=settings.new_attributes,
            text_encoder=settings.text_encoder or settings.e2,
            **common,
        )
        captioner = captioning_pipeline(*load_model(settings.captioner)) if settings.captioner else None
        return cls(products, whole or None, by_attribute or None, settings, captioner)

    def __len__(self) -> int:
        return len(self._main.gallery)

    @property
    def reads_words(self) -> bool:
        """Whether products are found by words."""
        return self.whole is not None and self.whole.plain.tokenizer is not None

    @property
    def reranks(self) -> bool:
        """Whether there is an FR."""
        return self.by_attribute is not None and self.by_attribute.reranked is not None

    @property
    def statement(self) -> str:
        """Which models search how many products, in one line."""
        engines = filter(None, (self.whole, self.by_attribute))
        names = [f"{engine.name} ({engine.source})" for engine in engines]
        fr = f", re-ranked by FR ({shortened(self.settings.reranker)})" if self.reranks else ""
        return f"{len(self):,} products, searched by {' and '.join(names)}{fr}"

    def search(self, form: Form) -> Found:
        """Search by what a user has filled in.

        Args:
            form ([`Form`]): the search.

        Raises:
            ValueError: with a sentence for the user: the search is not possible.
        """
        engine, query = self.engine(form.attribute), form.query()
        if {"terms", "change"} & set(query) and not self.reads_words:
            raise ValueError("This model reads no words: search by a photo.")
        if form.rerank and engine.reranked is None:
            raise ValueError("FR re-ranks searches by one attribute: choose what to compare, or switch FR off.")
        options = {"top_k": min(int(form.top_k), len(engine.gallery)), "filter": form.filter or None}
        with self._model_lock:
            results = engine.plain(query, **options)
            return Found(engine, results, engine.reranked(query, **options) if form.rerank else None)

    def heat_maps(self, product_id: str, attribute: str) -> dict[str, Image.Image]:
        """Return where the model looks in a product's photo.

        Args:
            product_id (`str`): id of the product.
            attribute (`str`): the attribute that was compared, `""` for the whole product.

        Raises:
            ValueError: there is no such product or attribute, or the model has no heat maps.
        """
        engine, photo = self.engine(attribute), self.products.photo(product_id)
        with self._model_lock:
            return engine.plain.heat_maps(photo, attribute or None)

    def caption(self, product_id: str) -> str | None:
        """Return the photo of a product in words, where there is a captioner.

        Args:
            product_id (`str`): id of the product.

        Raises:
            ValueError: there is no such product.
        """
        if self.captioner is None:
            return None
        photo = self.products.photo(product_id)
        with self._model_lock:
            return self.captioner(photo, do_sample=False)[0]["generated_text"]

    def details(self, product_id: str) -> dict[str, Any]:
        """Return the metadata of a product.

        Args:
            product_id (`str`): its id.

        Raises:
            ValueError: there is no such product.
        """
        if product_id not in self._rows:
            raise ValueError("The gallery has no such product.")
        row = self._rows[product_id]
        return {name: self._table[name][row].as_py() for name in self.columns}

    def engine(self, attribute: str) -> Engine:
        """Return what compares products in an attribute.

        Args:
            attribute (`str`): its name, `""` for the whole product.

        Raises:
            ValueError: no model compares it.
        """
        if attribute and attribute not in self.attributes:
            raise ValueError(f"No model here compares {attribute!r}: choose one of {', '.join(self.attributes)}.")
        engine = self.by_attribute if attribute else self.whole
        if engine is None:
            raise ValueError(f"Choose what to compare: one of {', '.join(self.attributes)}.")
        return engine

    @property
    def _main(self) -> Engine:
        return self.whole or self.by_attribute

    def _common_columns(self) -> list[str]:
        """Metadata columns that all galleries have."""
        engines = [engine for engine in (self.whole, self.by_attribute) if engine]
        columns = [list(engine.gallery.info()["metadata"]) for engine in engines]
        return [name for name in columns[0] if all(name in others for others in columns)]
