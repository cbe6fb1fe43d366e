"""Tags of a gallery's products, for queries with a `change`: which column has which, and their known values."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping, Sequence
from typing import Any

from ..embedding.capabilities import entity_names, region_spaces


# A column of tags: products share its values, which are short. In one of very many values, such as the ids of products
# with several photos each, many products must share them.
FEWEST_PRODUCTS_OF_A_VALUE = 2
MANY_VALUES, FEWEST_PRODUCTS_OF_MANY = 1000, 10
LONGEST_VALUE = 60
# In front of a column's name they say nothing: "baseColour", "product_type".
QUALIFIERS = {"base", "item", "main", "primary", "product"}
CAMEL_CASE = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
WORD = re.compile(r"[^\W_]+")

logger = logging.getLogger(__name__)


def tag_columns(columns: Sequence[str], model: Any) -> dict[str, str]:
    """Return the metadata column of each tag: of the model's entities first, then of the other columns, as they are.

    The column of an entity has its name, or the only one that differs by letter case, separators, "color" or a word in
    front such as "base": that of `article_type` and `colour` may be `articleType` and `base_color`.

    Args:
        columns (`Sequence[str]`): metadata columns with one value a product.
        model (`PreTrainedModel`): the model.
    """
    found = {column: column for column in region_spaces(model, columns)}
    for entity in region_spaces(model, entity_names(model)):
        alike = [column for column in columns if column not in found.values() and _words(column) == _words(entity)]
        if entity not in found and len(alike) == 1:
            found[entity] = alike[0]
    return found | {column: column for column in columns if column not in found.values()}


def tag_values(gallery: Any, columns: Mapping[str, str], model: Any) -> dict[str, list[str]]:
    """Return the known values of a gallery's tags: of the model's entities, and of columns whose values are short
    texts that products share, and not ids.

    Args:
        gallery ([`Gallery`]): the gallery; one without the call `products` has no known values.
        columns (`Mapping[str, str]`): tag -> column, from [`tag_columns`].
        model (`PreTrainedModel`): the model.
    """
    if not hasattr(gallery, "products"):
        return {}
    table, entities = gallery.products(), entity_names(model)
    values = {}
    for tag, column in columns.items():
        given = [value for value in table.column(column).to_pylist() if value and isinstance(value, str)]
        distinct = sorted(set(given))
        if distinct and (tag in entities or _are_tags(distinct, len(given))):
            values[tag] = distinct
    return values


def _are_tags(distinct: Sequence[str], number: int) -> bool:
    """Whether the different values that this number of products have are words that products share."""
    fewest = FEWEST_PRODUCTS_OF_A_VALUE if len(distinct) <= MANY_VALUES else FEWEST_PRODUCTS_OF_MANY
    text = "".join(distinct)
    is_code = sum(map(str.isdigit, text)) > sum(map(str.isalpha, text))  # such as "AB-1234"
    return number >= fewest * len(distinct) and max(map(len, distinct)) <= LONGEST_VALUE and not is_code


def warn_of_unnamed(values: Mapping[str, Sequence[str]], regions: Sequence[str], columns: Sequence[str]) -> None:
    """Log a warning if a gallery keeps regions whose values are not known, so that no words replace them.

    Args:
        values (`Mapping[str, Sequence[str]]`): from [`tag_values`].
        regions (`Sequence[str]`): tag entities whose regions the gallery keeps.
        columns (`Sequence[str]`): metadata columns of the gallery.
    """
    unnamed = [entity for entity in regions if entity not in values]
    if unnamed:
        logger.warning(
            "no words of a `change` replace the regions of %s: no metadata column of texts with such a name says "
            "which values there are, the columns are %s. Keep the products' tags as texts in a column of each of "
            "these names",
            ", ".join(unnamed),
            ", ".join(columns) or "none",
        )


def _words(name: str) -> list[str]:
    """The name of a column or an entity as words to compare: `baseColour` and `base_color` are `["color"]`."""
    words = [word.replace("colour", "color") for word in WORD.findall(CAMEL_CASE.sub(" ", name).casefold())]
    return words[1:] if len(words) > 1 and words[0] in QUALIFIERS else words
