"""Search of a gallery by the pipeline: does the gallery fit the model, and which products are candidates?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from torch import Tensor

from ..embedding.capabilities import NO_REGIONS, region_spaces, space_names
from ..embedding.encoder import Encoder
from ..hub_ids import is_hub_id
from ..messages import did_you_mean
from ..retrieval.results import RetrievalResults, padded
from .groups_fashion_retrieval import search_groups
from .late_interaction_fashion_retrieval import NUM_SCORED, interact


# Beginnings of the types whose values cannot be compared as one.
NESTED = ("list", "large_list", "fixed_size_list", "struct", "map")


class CandidateFinder:
    """Search a gallery for candidates.

    Args:
        gallery ([`Gallery`], `str` or `Path`): a gallery, its path or URI, or its id on the Hub.

    Raises:
        ValueError: there is none, or it is empty.
        FileNotFoundError: there is no such gallery.
        ImportError: `gallery` is not open, and hf_fashion or the gallery's database is not installed.
    """

    def __init__(self, gallery: Any):
        self.gallery = open_gallery(gallery)
        info = self.gallery.info()
        self.uri, self.spaces, self.fingerprint = info["uri"], list(info["spaces"]), info.get("fingerprint")
        self.entities: list[str] = []  # whose regions the gallery keeps
        self.columns = [name for name, kind in info["metadata"].items() if not kind.startswith(NESTED)]
        if not info["products"]:
            raise ValueError(
                f"the gallery at {self.uri} is empty: embed a catalogue with Gallery.from_dataset, or add products"
            )

    def check_model(self, encoder: Encoder) -> None:
        """Raise if queries of a model cannot be compared with the gallery.

        Args:
            encoder ([`Encoder`]): what embeds the queries.

        Raises:
            ValueError: the gallery has another space, or another model, image processor or tokenizer embedded it.
        """
        model, spaces = encoder.model, space_names(encoder.model)
        strange = [space for space in self.spaces if space not in spaces]
        if strange:
            raise ValueError(
                f"the gallery at {self.uri} has a space {strange[0]!r}, {type(model).__name__} serves "
                f"{', '.join(spaces)}: load the model that embedded the gallery"
            )
        self.gallery.check_model(model, encoder.image_processor, encoder.tokenizer)
        self.entities = region_spaces(model, self.spaces)

    def check_options(self, top_k: int | None, group_by: str | None, late_interaction: float | None = None) -> None:
        """Raise if the gallery does not have these options.

        Args:
            top_k (`int`, *optional*): number of results.
            group_by (`str`, *optional*): metadata column.
            late_interaction (`float`, *optional*): weight of the regions in the scores.

        Raises:
            ValueError: `top_k` is more than the products of the gallery, `group_by` is not a column with one value
                for each product, or the gallery keeps no regions.
        """
        if top_k is not None and not 1 <= top_k <= len(self.gallery):
            raise ValueError(
                f"`top_k` must be from 1 to {len(self.gallery)}, the products of the gallery, got {top_k}. The "
                "default is 10, or all products of a smaller gallery"
            )
        if group_by is not None and group_by not in self.columns:
            raise ValueError(
                f"`group_by` must be a metadata column with one value a product, one of {self.columns}, got "
                f"{group_by!r}{did_you_mean(group_by, self.columns)}"
            )
        if late_interaction is not None and not self.entities:
            raise ValueError(f"`late_interaction` scores texts by regions of photos, and {NO_REGIONS}")

    def search(
        self,
        queries: Tensor,
        space: str,
        number: int,
        filter: str | Mapping[str, Any] | None = None,
        group_by: str | None = None,
        with_vectors: bool = False,
        late_interaction: float | None = None,
    ) -> RetrievalResults:
        """Find each query's best products, or the best product of each of its best groups.

        Args:
            queries (`torch.Tensor` of shape `(Q, d)`): embeddings of the queries.
            space (`str`): the space of the queries.
            number (`int`): candidates of a query; there are fewer where the gallery has fewer.
            filter (`str` or `Mapping`, *optional*): condition on the metadata, as SQL or as a dict.
            group_by (`str`, *optional*): metadata column with equal values within a group.
            with_vectors (`bool`, *optional*, defaults to `False`): whether results keep the candidates' vectors.
                Groups do not, since most candidates of their long lists are dropped: [`read_vectors`] reads those of
                the others.
            late_interaction (`float`, *optional*): weight of the regions in the scores. Default: only photos count.

        Raises:
            ValueError: `filter` is not a condition on this gallery.
        """

        def by_photo(queries: Tensor, top_k: int, with_vectors: bool = False) -> RetrievalResults:
            return as_results(self.gallery.search(queries, space, top_k, filter, with_vectors=with_vectors))

        def by_regions(queries: Tensor, top_k: int, with_vectors: bool = False) -> RetrievalResults:
            found = by_photo(queries, max(top_k, NUM_SCORED), with_vectors)
            return interact(found, queries, late_interaction, self.gallery, self.entities).first(top_k)

        search = by_photo if late_interaction is None else by_regions

        if group_by is None:
            return search(queries, number, with_vectors)
        return search_groups(search, queries, number, group_by, getattr(self.gallery, "max_top_k", None))


def as_results(found: Any) -> RetrievalResults:
    """Return what a gallery has found as results.

    Args:
        found (`Any`): has `ids`, `scores`, `metadata` and `vectors` of [`RetrievalResults`], as those of an installed
            hf_fashion have, to which this class is foreign when the pipeline was loaded with a model.
    """
    if isinstance(found, RetrievalResults):
        return found
    return RetrievalResults(found.ids, found.scores, found.metadata, vectors=found.vectors)


def read_vectors(results: RetrievalResults, gallery: Any, space: str) -> RetrievalResults:
    """Read the candidates' vectors, where results have none, for a re-ranker.

    Args:
        results ([`RetrievalResults`]): lists of candidates.
        gallery ([`Gallery`]): the gallery with the vectors.
        space (`str`): the space of the vectors.

    Raises:
        ValueError: the gallery does not have the space or a candidate.
    """
    ids = [candidate_id for row in results.ids for candidate_id in row]
    if results.vectors is not None or not ids:
        return results
    return replace(results, vectors=padded(gallery.vectors(ids, space), results.mask, 0))


def open_gallery(gallery: Any) -> Any:
    """Open a gallery, by its path, URI or Hub id; return one that is open already.

    Args:
        gallery ([`Gallery`], `str` or `Path`): the gallery, its path or URI, or its id on the Hub, `owner/name`. A
            folder goes before an id.

    Raises:
        ValueError: there is none.
        FileNotFoundError: there is no such gallery.
        ImportError: the gallery is not open, and hf_fashion or the gallery's database is not installed.
    """
    if gallery is None:
        raise ValueError(
            "`gallery` must be given: a Gallery, its path or URI, or the id of a gallery on the Hub. "
            "Gallery.from_dataset, or `hf-fashion embed`, makes one of a catalogue's photos"
        )
    if not isinstance(gallery, (str, Path)):
        return gallery
    try:
        from hf_fashion.retrieval.gallery import Gallery
    except ImportError as error:
        raise ImportError(
            f'opening the gallery at {gallery} needs hf_fashion: pip install "hf-fashion[gallery]"'
        ) from error
    if isinstance(gallery, str) and is_hub_id(gallery, owner=True) and not Path(gallery).exists():
        return Gallery.from_pretrained(gallery)
    return Gallery.open(gallery)
