"""What the pipeline asks of a gallery: does it fit the model, and which products are candidates?"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from torch import Tensor
from transformers import PreTrainedModel

from ..messages import did_you_mean


logger = logging.getLogger(__name__)
# The most products that Milvus lists for a query; LanceDB has no limit.
LONGEST_LIST = 16_384
# Beginnings of the types whose values cannot be compared as one.
NESTED = ("list", "large_list", "fixed_size_list", "struct", "map")


class CandidateFinder:
    """Candidates out of a gallery, as dicts.

    Args:
        gallery ([`Gallery`], `str` or `Path`): a gallery, or its path or URI.

    Raises:
        ValueError: the gallery is empty.
        ImportError: it is named by its path, and hf_fashion or its database is not installed.
    """

    def __init__(self, gallery: Any):
        self.gallery = open_gallery(gallery)
        info = self.gallery.info()
        self.uri, self.spaces = info["uri"], list(info["spaces"])
        self.columns = [name for name, kind in info["metadata"].items() if not kind.startswith(NESTED)]
        if not info["products"]:
            raise ValueError(
                f"the gallery at {self.uri} is empty: embed a catalogue with Gallery.from_dataset, or add products"
            )

    def check_model(self, model: PreTrainedModel, spaces: Sequence[str]) -> None:
        """Does nothing if queries of this model can be compared with the gallery.

        Args:
            model (`PreTrainedModel`): what shall embed queries.
            spaces (`Sequence[str]`): the spaces it embeds into.

        Raises:
            ValueError: the gallery has another space, or another model embedded it.
        """
        strange = [space for space in self.spaces if space not in spaces]
        if strange:
            raise ValueError(
                f"the gallery at {self.uri} has a space {strange[0]!r}, {type(model).__name__} serves "
                f"{', '.join(spaces)}: load the model that embedded the gallery"
            )
        self.gallery.check_model(model)

    def check_options(self, top_k: int | None, group_by: str | None) -> None:
        """Does nothing if the gallery can be asked so.

        Args:
            top_k (`int`, *optional*): number of results.
            group_by (`str`, *optional*): metadata column.

        Raises:
            ValueError: it cannot.
        """
        if top_k is not None and not 1 <= top_k <= len(self.gallery):
            raise ValueError(
                f"`top_k` must be from 1 to {len(self.gallery)}, the products of the gallery, got {top_k}. Left "
                "out, it is 10, or as many as there are"
            )
        if group_by is not None and group_by not in self.columns:
            raise ValueError(
                f"`group_by` must be a metadata column with one value a product, one of {self.columns}, got "
                f"{group_by!r}{did_you_mean(group_by, self.columns)}"
            )

    def candidates(
        self, queries: Tensor, space: str, number: int, filter: str | None = None, group_by: str | None = None
    ) -> list[list[dict[str, Any]]]:
        """Each query's best products, or the best of each of its best groups; fewer where the gallery has fewer.
        Groups are looked for in ever longer lists, as long as the gallery gives them; Milvus gives 16,384 products.

        Args:
            queries (`torch.Tensor` of shape `(Q, d)`): what is searched by.
            space (`str`): the space they are in.
            number (`int`): how many are wanted for each.
            filter (`str`, *optional*): SQL condition on the metadata.
            group_by (`str`, *optional*): metadata column with equal values within a group.

        Raises:
            ValueError: `filter` is no condition on this gallery.
        """
        found = self.gallery.search(queries, space, number, filter).to_dicts()
        if group_by is None:
            return found
        return [
            _best_groups(products, number, group_by, partial(self._listed, query, space, filter))
            for products, query in zip(found, queries.split(1), strict=True)
        ]

    def _listed(self, query: Tensor, space: str, filter: str | None, number: int) -> list[dict[str, Any]]:
        """The products nearest to one query (1, d)."""
        return self.gallery.search(query, space, number, filter).to_dicts()[0]


def open_gallery(gallery: Any) -> Any:
    """The gallery itself, opened where it is named by path or URI.

    Args:
        gallery ([`Gallery`], `str` or `Path`): the gallery.

    Raises:
        ImportError: it is named, and hf_fashion or its database is not installed.
    """
    if not isinstance(gallery, (str, Path)):
        return gallery
    try:
        from hf_fashion.retrieval.gallery import Gallery
    except ImportError as error:
        raise ImportError(
            f'opening the gallery at {gallery} needs hf_fashion: pip install "hf-fashion[gallery]"'
        ) from error
    return Gallery.open(gallery)


def _best_groups(
    products: list[dict[str, Any]], number: int, column: str, listed: Callable[[int], list[dict[str, Any]]]
) -> list[dict[str, Any]]:
    """The best product of each group, of `number` groups or all. `products` are the `number` nearest ones to a query,
    `listed` gives more of them."""
    fetched, best = number, _best_of_groups(products, column)
    while len(best) < number and len(products) >= fetched:
        fetched = _longer(fetched)
        try:
            products = listed(fetched)
        except ValueError as error:  # the same but shorter list was given, so its length is refused
            logger.warning("`group_by` %r finds %d groups in the longest list: %s", column, len(best), error)
            break
        best = _best_of_groups(products, column)
    return best[:number]


def _longer(fetched: int) -> int:
    """Four times as many, but first as many as every gallery gives."""
    return LONGEST_LIST if fetched < LONGEST_LIST < 4 * fetched else 4 * fetched


def _best_of_groups(candidates: Iterable[dict[str, Any]], column: str) -> list[dict[str, Any]]:
    """The first candidate with each value of the column, and all without a value."""
    best: dict[tuple[bool, Any], dict[str, Any]] = {}
    for candidate in candidates:
        value = candidate["metadata"][column]
        best.setdefault((True, candidate["id"]) if value is None else (False, value), candidate)
    return list(best.values())
