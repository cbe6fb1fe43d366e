"""The forms of a query, read into one: [`FashionQuery`]."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from numbers import Real
from pathlib import Path
from typing import Any

from PIL import Image

from ..images import names_photo
from ..messages import did_you_mean, shown
from .query_photos import Pixels, is_photo, photo_of


LARGEST = 3.4e38  # weights are kept as float32
KEYS = ("image", "text", "terms", "image_weight", "change", "attribute", "entity")


@dataclass(frozen=True)
class FashionQuery:
    """A photo, weighted terms, or both; or a photo and what to change in it.

    Args:
        image (`PIL.Image.Image`, `bytes`, `Path` or `str`, *optional*): a photo, its encoded bytes, its path, URL or
            base64 text.
        terms (`Mapping[str, float]`, *optional*): descriptions and their weights; negative ones are avoided.
        image_weight (`float`, *optional*, defaults to 1.0): weight of the photo next to the terms.
        attribute (`str`, *optional*): the attribute that products are compared in.
        entity (`str`, *optional*): the tag entity of E2 whose regions are compared. Default: whole photos.
        change (`str`, *optional*): what is different about the products to find, such as `"in red"`.

    Raises:
        ValueError: there is neither photo nor term, a term is not a text, a weight is not a finite number or is that
            of no photo, or a change is not with a photo only.
    """

    image: Image.Image | bytes | Path | str | None = None
    terms: Mapping[str, float] = field(default_factory=dict)
    image_weight: float = 1.0
    attribute: str | None = None
    entity: str | None = None
    change: str | None = None

    def __post_init__(self):
        if self.change is not None:
            self._check_change()
        if self.image is None and not self.terms:
            raise ValueError("a query must have an image, a text or terms, got none of them")
        if not isinstance(self.terms, Mapping):
            raise ValueError(f"`terms` must be a dict of texts and their weights, got {type(self.terms).__name__}")
        for term, weight in {**self.terms, "image_weight": self.image_weight}.items():
            if not isinstance(term, str) or not term.strip():
                raise ValueError(f"a text to search by must be a string that is not empty, got {shown(term)}")
            if not isinstance(weight, Real) or not -LARGEST <= weight <= LARGEST:  # neither is NaN
                raise ValueError(
                    f"the weight of {shown(term)} must be a finite number, at most 3.4e38, got {shown(weight)}"
                )
        if self.image is None and self.image_weight != 1:
            raise ValueError(
                f"`image_weight` {shown(self.image_weight)} is the weight of a photo, and the query has none: give an "
                "`image` too, or leave it out"
            )

    def _check_change(self) -> None:
        if not self.change.strip():
            raise ValueError('`change` must say what is different, such as "in red", got an empty string')
        if self.image is None:
            raise ValueError(f"`change` {shown(self.change)} needs the photo that it changes: give an `image` too")
        others = {"text or terms": self.terms, "attribute": self.attribute, "entity": self.entity}
        others["image_weight"] = self.image_weight != 1
        wrong = [name for name, value in others.items() if value]
        if wrong:
            raise ValueError(f"a query with `change` has an `image` and no other part, got {wrong[0]}: leave it out")

    @classmethod
    def read(cls, query: Any) -> FashionQuery:
        """Read a query in any of its forms: a photo, a text, a dict of parts, or a dict of terms and their weights.

        Args:
            query (`Any`): a form of [`~query_photos.photo_of`], a text or a dict.

        Raises:
            ValueError: the query has none of these forms, or has an unknown key.
        """
        if isinstance(query, str) and not names_photo(query):
            return cls(terms={query: 1.0})
        if isinstance(query, str) or is_photo(query):
            return cls.read({"image": query})
        if not isinstance(query, Mapping):
            raise ValueError(
                f"a query must be an image, a string or a dict, got {type(query).__name__}. Of a table, such as a "
                'dataset, name the column: dataset["image"]'
            )
        if not set(KEYS) & set(query) and all(isinstance(weight, Real) for weight in query.values()):
            return cls(terms=query)
        return cls(**_fields({key: value for key, value in query.items() if value is not None}))


def holds_several(inputs: Any) -> bool:
    """Return whether a value holds several queries, one after the other, and is not one itself.

    Args:
        inputs (`Any`): a list or tuple, a column of a dataset, an iterator, a batch of pixels; or a query.
    """
    if isinstance(inputs, Pixels):
        return not is_photo(inputs)
    # Iterating a table gives rows of any columns, or only their names.
    is_table = hasattr(inputs, "columns") or hasattr(inputs, "column_names")
    one = isinstance(inputs, (str, Mapping)) or is_photo(inputs) or is_table
    return isinstance(inputs, Iterable) and not one


def _fields(query: dict[str, Any]) -> dict[str, Any]:
    """A query of named parts as the fields of [`FashionQuery`]."""
    unknown = [key for key in query if key not in KEYS]
    if unknown:
        raise ValueError(
            f"a query has no {shown(unknown[0])}{did_you_mean(str(unknown[0]), KEYS)}: its keys are "
            f"{', '.join(KEYS)}, or terms with a number as weight each"
        )
    if "text" in query and "terms" in query:
        raise ValueError("a query has `text` or `terms`, got both: add the text to the terms, with a weight")
    if not isinstance(query.get("text", ""), str):
        raise ValueError(f"`text` must be a string, got {type(query['text']).__name__}")
    if "text" in query:
        query["terms"] = {query.pop("text"): 1.0}
    for name in ("attribute", "entity", "change"):
        if not isinstance(query.get(name, ""), str):
            raise ValueError(f"`{name}` must be a string, got {type(query[name]).__name__}")
    if "image" in query:
        query["image"] = photo_of(query["image"])
    return query
