"""Queries of a photo and what to change in it, `change`: the photo's tags, and products scored in several spaces."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from ..embedding.changes.changed_query import ChangedQuery, Part
from ..embedding.changes.combiners import TrainedCombiner
from ..embedding.changes.photo_changes import WAYS, PhotoChanger
from ..embedding.encoder import Encoder
from ..embedding.features import joined_inputs
from ..embedding.fingerprint import model_fingerprint
from ..retrieval.results import RetrievalResults
from .groups_fashion_retrieval import search_groups
from .search_fashion_retrieval import CandidateFinder, as_results
from .tags_fashion_retrieval import tag_columns, tag_values, warn_of_unnamed


# A photo whose nearest product has a larger cosine is that product's photo.
SAME_PHOTO = 0.999
# Products that each space gives before they are scored in all of them, however long the list, so that a longer list
# begins with the shorter one.
NUM_SCORED = 100
DECIMALS = 6  # of scores, as a gallery rounds them: equal products get equal scores


class ChangeSearch:
    """Reads changes against the tags of a gallery, which are read again when the gallery has changed.

    Args:
        encoder ([`Encoder`]): what embeds the queries.
        finder ([`CandidateFinder`]): with the gallery.
        editor (`Pipeline` or `Callable`, *optional*): edits descriptions; see [`PhotoChanger`].
        combiner ([`TrainedCombiner`], *optional*): see [`PhotoChanger`].

    Raises:
        ValueError: the combiner was trained with another model, or searches a space that the gallery does not keep.
    """

    def __init__(
        self, encoder: Encoder, finder: CandidateFinder, editor: Any = None, combiner: TrainedCombiner | None = None
    ):
        self.encoder, self.finder, self.editor, self.combiner = encoder, finder, editor, combiner
        if combiner is not None:
            combiner.check_embedder(finder.fingerprint or model_fingerprint(encoder.model))
            combiner.check_spaces(finder.spaces)
        self.tag_columns = tag_columns(finder.columns, encoder.model)
        self._changer: tuple[Any, PhotoChanger] | None = None  # a version of the gallery, and what was read of it

    @property
    def changer(self) -> PhotoChanger:
        """What embeds photos with changes, by the tags that the gallery has now."""
        version = getattr(self.finder.gallery, "version", None)
        if self._changer is None or self._changer[0] != version:
            values = tag_values(self.finder.gallery, self.tag_columns, self.encoder.model)
            known = None if self._changer is None else self._changer[1]
            self._changer = (version, known if known and known.values == values else self._changer_for(values))
        return self._changer[1]

    def _changer_for(self, values: Mapping[str, Sequence[str]]) -> PhotoChanger:
        if hasattr(self.finder.gallery, "products"):
            warn_of_unnamed(values, self.finder.entities, self.finder.columns)
        parts = (self.encoder.model, self.encoder.tokenizer, values, self.finder.spaces)
        return PhotoChanger(*parts, self.editor, self.combiner)

    def queries(self, prepared: Sequence[Mapping[str, Any]], ways: Sequence[str | None]) -> list[ChangedQuery]:
        """Embed queries with a `change`.

        Args:
            prepared (`Sequence[Mapping]`): B queries from [`prepare_query`].
            ways (`Sequence[str | None]`): how each is searched, one of `WAYS`. `None`: `"combiner"` where there is
                one, else `"arithmetic"`.

        Raises:
            ValueError: a change names nothing, or leaves nothing to search by.
        """
        changer = self.changer
        embeds = changer.embed_photos(joined_inputs([query["photo"] for query in prepared]))
        found, default = [], WAYS[0] if self.combiner is None else "combiner"
        for place, (query, way) in enumerate(zip(prepared, ways, strict=True)):
            photo = {space: rows[place] for space, rows in embeds.items()}
            tags = self._known_tags(photo["image"], changer.values)
            if len(tags) < len(changer.values):  # what the gallery does not know, the model names
                tags = changer.name_tags(photo) | tags
            found.append(changer.query(photo, query["change"], tags, way or default))
        return found

    def _known_tags(self, photo: Tensor, tags: Iterable[str]) -> dict[str, str]:
        """The tags of the product whose photo this is; none where it is not in the gallery."""
        nearest = as_results(self.finder.gallery.search(photo[None], "image", 1))
        if not nearest.ids[0] or nearest.scores[0, 0] < SAME_PHOTO or nearest.metadata is None:
            return {}
        metadata = nearest.metadata[0][0]
        known = {tag: metadata[self.tag_columns[tag]] for tag in tags}
        return {tag: value for tag, value in known.items() if value}


def search_changed(
    finder: CandidateFinder,
    changed: ChangedQuery,
    number: int,
    filter: str | Mapping[str, Any] | None = None,
    group_by: str | None = None,
    with_vectors: bool = False,
) -> RetrievalResults:
    """Find the best products of one query with a change, or the best product of each of its best groups.

    Args:
        finder ([`CandidateFinder`]): with the gallery.
        changed ([`ChangedQuery`]): the query.
        number (`int`): candidates; there are fewer where the gallery has fewer.
        filter (`str` or `Mapping`, *optional*): condition on the metadata, as SQL or as a dict.
        group_by (`str`, *optional*): metadata column with equal values within a group.
        with_vectors (`bool`, *optional*, defaults to `False`): whether results may keep the candidates' vectors;
            those that were found by regions do not.

    Raises:
        ValueError: `filter` is not a condition on this gallery.
    """

    # A re-ranker compares them with the query's vector, which is in this space.
    with_vectors = with_vectors and [part.space for part in changed.parts] == ["image"]

    def in_space(queries: Tensor, space: str, top_k: int) -> RetrievalResults:
        return finder.search(queries, space, top_k, filter, with_vectors=with_vectors)

    def search(queries: Tensor, top_k: int) -> RetrievalResults:
        return search_parts(in_space, finder.gallery, changed.parts, top_k)

    if group_by is None:
        return search(changed.vector[None], number)
    limit = getattr(finder.gallery, "max_top_k", None)
    return search_groups(search, changed.vector[None], number, group_by, limit)


def search_parts(
    search: Callable[[Tensor, str, int], RetrievalResults], gallery: Any, parts: Sequence[Part], top_k: int
) -> RetrievalResults:
    """Search every part's space, and score what was found by the weighted sum of its cosines in all of them.

    A list that is longer goes on with the next products by the first part. Their score is the cosine to it, or that of
    the last one that was scored where it is lower.

    Args:
        search (`Callable`): searches the gallery: `(queries (1, d), space, top_k) -> RetrievalResults`.
        gallery ([`Gallery`]): the gallery with the vectors.
        parts (`Sequence[Part]`): of one query.
        top_k (`int`): candidates.
    """
    first = search(parts[0].vector[None], parts[0].space, top_k if len(parts) == 1 else max(top_k, NUM_SCORED))
    if len(parts) == 1 or not first.ids[0]:
        return first
    others = [search(part.vector[None], part.space, NUM_SCORED) for part in parts[1:]]
    metadata: dict[str, Any] = {}
    for one in [first, *others]:
        metadata |= zip(one.ids[0], one.metadata[0] if one.metadata else one.ids[0], strict=True)
    ids = sorted({product_id for one in [first.first(NUM_SCORED), *others] for product_id in one.ids[0]})
    # In float64, because the last bits of float32 depend on the place, and equal products must get equal scores.
    cosines = (gallery.vectors(ids, part.space).double() @ part.vector.double() for part in parts)
    scores = sum(part.weight * its for part, its in zip(parts, cosines, strict=True)).float()
    scores, order = scores.round(decimals=DECIMALS).sort(descending=True, stable=True)
    scored = set(ids)
    behind = [place for place, product_id in enumerate(first.ids[0]) if product_id not in scored]
    ids = [*(ids[place] for place in order.tolist()), *(first.ids[0][place] for place in behind)]
    scores = torch.cat([scores, first.scores[0, behind].clamp(max=scores[-1])])
    named = [[metadata[product_id] for product_id in ids]] if first.metadata else None
    return RetrievalResults([ids], scores[None], named).first(top_k)
