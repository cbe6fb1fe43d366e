"""Read what the form holds as a query of the pipeline."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any


AVOIDED = -0.5  # weight of words to avoid that have none of their own
MOST_TERMS = 20
LONGEST = 1000  # characters of a field
_WEIGHT = re.compile(r"(?P<text>.*\S)\s*=\s*(?P<weight>[+-]?(?:\d+\.?\d*|\.\d+))", re.DOTALL)


@dataclass(frozen=True)
class Form:
    """What a user searches by.

    Args:
        photo (`bytes`, *optional*): the content of a photo's file.
        words (`str`, *optional*): descriptions with `;` between them, each with a weight or without: `in blue = 0.5`.
        avoid (`str`, *optional*): descriptions of what is not wanted.
        photo_weight (`float`, *optional*, defaults to 1.0): weight of the photo next to the words.
        attribute (`str`, *optional*): attribute that products are compared in; default: the whole product.
        filter (`str` or `dict`, *optional*): condition on the metadata.
        top_k (`int`, *optional*, defaults to 12): number of results.
        rerank (`bool`, *optional*, defaults to `False`): whether FR re-ranks the results.
        change (`str`, *optional*): what is different from the photo, such as `in red`.
    """

    photo: bytes | None = None
    words: str = ""
    avoid: str = ""
    photo_weight: float = 1.0
    attribute: str = ""
    filter: str | dict[str, Any] | None = None
    top_k: int = 12
    rerank: bool = False
    change: str = ""

    def query(self) -> dict[str, Any]:
        """Return the query as the pipeline takes it.

        Raises:
            ValueError: there is nothing to search by, too much of it, or words where an attribute is compared.
        """
        terms = read_terms(self.words, 1.0)
        for text, weight in read_terms(self.avoid, AVOIDED).items():
            terms[text] = terms.get(text, 0.0) - abs(weight)
        if len(terms) > MOST_TERMS:
            raise ValueError(f"At most {MOST_TERMS} descriptions are searched by at once, these are {len(terms)}.")
        if self.change.strip():
            return self._changed_query(bool(terms))
        if self.attribute:
            return self._attribute_query(bool(terms))
        if self.photo is None and not terms:
            raise ValueError("Upload a photo or write some words to search by.")
        photo = {} if self.photo is None else {"image": self.photo}
        weight = {"image_weight": self.photo_weight} if photo and terms else {}
        return photo | weight | ({"terms": terms} if terms else {})

    def _changed_query(self, has_words: bool) -> dict[str, Any]:
        if self.photo is None:
            raise ValueError("Upload the photo that is changed.")
        if has_words or self.attribute:
            raise ValueError("A change of the photo is searched for by itself: remove the words and the attribute.")
        if len(self.change) > LONGEST:
            raise ValueError(f"Please write at most {LONGEST:,} characters, these are {len(self.change):,}.")
        return {"image": self.photo, "change": self.change}

    def _attribute_query(self, has_words: bool) -> dict[str, Any]:
        if has_words:
            raise ValueError("One attribute is compared by photo only: remove the words, or compare whole products.")
        if self.photo is None:
            raise ValueError(f"Upload a photo: its {self.attribute} is searched for.")
        return {"image": self.photo, "attribute": self.attribute}


def read_terms(text: str, weight: float) -> dict[str, float]:
    """Read `"a shirt; in blue = 0.5"` as descriptions and their weights; of equal ones the weights are added.

    Args:
        text (`str`): descriptions with `;` or line breaks between them.
        weight (`float`): the weight of those that have none.

    Raises:
        ValueError: the text is too long.
    """
    if len(text) > LONGEST:
        raise ValueError(f"Please write at most {LONGEST:,} characters, these are {len(text):,}.")
    terms: dict[str, float] = {}
    for part in filter(None, map(str.strip, re.split(r"[;\n]", text))):
        match = _WEIGHT.fullmatch(part)
        name, value = (match["text"], float(match["weight"])) if match else (part, weight)
        terms[name] = terms.get(name, 0.0) + value
    return terms
