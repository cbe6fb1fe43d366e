"""The ways to search by a photo and a change that evaluations compare."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from torch import Tensor
from transformers import PreTrainedModel, ProcessorMixin

from ...embedding.changes.changed_query import ChangedQuery
from ...embedding.changes.combiners import TrainedCombiner
from ...embedding.changes.photo_changes import PhotoChanger
from ...embedding.fingerprint import model_fingerprint


# Rows of the results that use no tags: what a way must beat.
BASELINES = ("photo", "words", "sum")
# The way that the pipeline takes by default is the first of these.
DEFAULTS = ("combiner", "regions", "arithmetic")


@dataclass(frozen=True, eq=False)
class AskedChange:
    """A query of a photo and a change.

    Args:
        photo (`Mapping[str, torch.Tensor]`): embeddings (d,) of the photo by space.
        words (`str`): what to change.
        named (`Mapping[str, str]`, *optional*): tags of the photo that the model names.
        known (`Mapping[str, str]`, *optional*): its tags in the corpus.
    """

    photo: Mapping[str, Tensor]
    words: str
    named: Mapping[str, str] = field(default_factory=dict)
    known: Mapping[str, str] = field(default_factory=dict)


Searcher = Callable[[AskedChange], ChangedQuery]


def changer_for(
    model: PreTrainedModel,
    processor: ProcessorMixin,
    tags: Mapping[str, Sequence[str | None]],
    spaces: Sequence[str],
    combiner: TrainedCombiner | None = None,
) -> PhotoChanger:
    """Return what embeds photos with changes.

    Args:
        model (`PreTrainedModel`): E2, CLIP or SigLIP.
        processor (`ProcessorMixin`): its processor.
        tags (`Mapping[str, Sequence[str | None]]`): entity -> its value in each row; they are the known values.
        spaces (`Sequence[str]`): of the gallery.
        combiner ([`TrainedCombiner`], *optional*): trained with this model.

    Raises:
        ValueError: the combiner is of another model.
    """
    if combiner is not None:
        combiner.check_embedder(model_fingerprint(model))
    values = {entity: sorted({value for value in its if value}) for entity, its in tags.items()}
    return PhotoChanger(model, processor.tokenizer, values, spaces, combiner=combiner)


def searchers_for(changer: PhotoChanger) -> dict[str, Searcher]:
    """Return the ways to search by a photo and a change, and what they must beat, by name.

    Args:
        changer ([`PhotoChanger`]): embeds photos with changes. Where it knows no values, no tags are edited.
    """
    searchers = {name: _baseline(changer, name) for name in BASELINES}
    for way in ("text", "arithmetic") if changer.values else ("arithmetic",):
        searchers[way] = _of_whole_photos(changer, way, "named")
        if changer.values:
            searchers[f"{way}_known"] = _of_whole_photos(changer, way, "known")
    if changer.regions:
        searchers["regions"] = lambda asked: changer.query(asked.photo, asked.words, asked.named)
    if changer.combiner is not None:
        searchers["combiner"] = lambda asked: changer.query(asked.photo, asked.words, asked.named, "combiner")
    return searchers


def default_way(ways: Mapping[str, Searcher]) -> str:
    """Return the way that the pipeline takes by default.

    Args:
        ways (`Mapping[str, Searcher]`): those that there are.
    """
    return next(way for way in DEFAULTS if way in ways)


def _of_whole_photos(changer: PhotoChanger, way: str, tags: str) -> Searcher:
    """A search by embeddings of whole photos, with the tags that the model names or those of the corpus."""

    def search(asked: AskedChange) -> ChangedQuery:
        return ChangedQuery.of_image(changer.query(asked.photo, asked.words, getattr(asked, tags), way).vector)

    return search


def _baseline(changer: PhotoChanger, name: str) -> Searcher:
    """A search that uses the words as they are."""

    def search(asked: AskedChange) -> ChangedQuery:
        photo, text = asked.photo["image"], changer.embed_text(asked.words)
        vector = {"photo": photo, "words": text, "sum": photo + text}[name]
        return ChangedQuery.of_image(vector / vector.norm())

    return search
