"""What a query may look like, read into one form."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from numbers import Real
from pathlib import Path
from typing import Any

from PIL import Image


# A string with one of these at its end is a photo, whether or not there is such a file: a misspelt path must not
# become a description.
PHOTO_ENDINGS = (".avif", ".bmp", ".gif", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp")
PHOTO_BEGINNINGS = ("http://", "https://", "data:image/")
KEYS = ("image", "text", "terms", "image_weight", "attribute")


# Copied from hf_fashion.messages.did_you_mean
def did_you_mean(name: str, allowed: Iterable[str]) -> str:
    """`" (did you mean 'caption'?)"` for the allowed name closest to `name`, or `""` when none is close."""
    by_lower = {candidate.lower(): candidate for candidate in allowed}
    matches = get_close_matches(name.lower(), by_lower, n=1)
    return f" (did you mean {by_lower[matches[0]]!r}?)" if matches else ""


@dataclass(frozen=True)
class FashionQuery:
    """A photo, weighted terms, or both.

    Args:
        image (`PIL.Image.Image` or `str`, *optional*): a photo, its path or URL.
        terms (`Mapping[str, float]`, *optional*): descriptions and their weights; negative ones are avoided.
        image_weight (`float`, *optional*, defaults to 1.0): weight of the photo beside the terms.
        attribute (`str`, *optional*): in which attribute products shall be like the photo.

    Raises:
        ValueError: there is neither photo nor term, a term is no text, or a weight no finite number.
    """

    image: Image.Image | str | None = None
    terms: Mapping[str, float] = field(default_factory=dict)
    image_weight: float = 1.0
    attribute: str | None = None

    def __post_init__(self):
        if self.image is None and not self.terms:
            raise ValueError("a query must have an image, a text or terms, got none of them")
        if not isinstance(self.terms, Mapping):
            raise ValueError(f"`terms` must be a dict of texts and their weights, got {type(self.terms).__name__}")
        for term, weight in {**self.terms, "image_weight": self.image_weight}.items():
            if not isinstance(term, str) or not term.strip():
                raise ValueError(f"a text to search by must be a string that is not empty, got {term!r}")
            if not isinstance(weight, Real) or not math.isfinite(weight):
                raise ValueError(f"the weight of {term!r} must be a finite number, got {weight!r}")

    @classmethod
    def read(cls, query: Any) -> FashionQuery:
        """Reads each of the forms that [`FashionRetrievalPipeline`] takes.

        Args:
            query (`PIL.Image.Image`, `Path`, `str` or `Mapping`): the query.

        Raises:
            ValueError: it has none of these forms, or a key that no query has.
        """
        if isinstance(query, str) and not is_photo(query):
            return cls(terms={query: 1.0})
        if isinstance(query, (Image.Image, Path, str)):
            return cls.read({"image": query})
        if not isinstance(query, Mapping):
            raise ValueError(
                f"a query must be an image, a string or a dict, got {type(query).__name__}. Of a dataset's rows, name "
                'the column: KeyDataset(dataset, "image")'
            )
        if not set(KEYS) & set(query) and all(isinstance(weight, Real) for weight in query.values()):
            return cls(terms=query)
        return cls(**_fields({key: value for key, value in query.items() if value is not None}))


def is_photo(text: str) -> bool:
    """Whether a string names a photo, by its beginning or ending, and does not describe one.

    Args:
        text (`str`): a path, a URL or a description.
    """
    return text.lower().startswith(PHOTO_BEGINNINGS) or text.lower().endswith(PHOTO_ENDINGS)


def _fields(query: dict[str, Any]) -> dict[str, Any]:
    """A query of named parts as the fields of [`FashionQuery`]."""
    unknown = [key for key in query if key not in KEYS]
    if unknown:
        raise ValueError(
            f"a query has no {unknown[0]!r}{did_you_mean(str(unknown[0]), KEYS)}: its keys are {', '.join(KEYS)}, or "
            "terms with a number as weight each"
        )
    if "text" in query and "terms" in query:
        raise ValueError("a query has `text` or `terms`, got both: add the text to the terms, with a weight")
    if not isinstance(query.get("text", ""), str):
        raise ValueError(f"`text` must be a string, got {type(query['text']).__name__}")
    if "text" in query:
        query["terms"] = {query.pop("text"): 1.0}
    if isinstance(query.get("image"), Path):
        query["image"] = str(query["image"])
    return query
