"""A photo and what to change in it -> vectors to search by, in one space or in those of E2's regions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any

import torch
from torch import Tensor
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from ...messages import did_you_mean, shown
from ...texts import warn_of_long_texts
from ..capabilities import entity_names, region_spaces
from ..features import (
    inference,
    max_text_length,
    photo_and_region_features,
    photo_features,
    text_features,
    text_inputs,
    unit_length,
)
from .change_words import Change, ChangeReader
from .changed_query import ChangedQuery, Part
from .combiners import TrainedCombiner
from .edited_descriptions import edit_tags, read_editor


WAYS = ("arithmetic", "text", "combiner")
AVOIDED = 0.5  # weight of what is not wanted next to an edited description
KEPT_TEXTS = 16_384  # embeddings of texts that may come again
TEXTS_IN_A_BATCH = 256


def check_way(way: str) -> None:
    """Raise if there is no such way to search by a photo and its change.

    Args:
        way (`str`): one of `WAYS`.

    Raises:
        ValueError: it is none of them.
    """
    if way not in WAYS:
        raise ValueError(f"`change_by` must be one of {', '.join(WAYS)}, got {shown(way)}{did_you_mean(way, WAYS)}")


class PhotoChanger:
    """Embeds photos with what to change in them.

    `"arithmetic"` works on embeddings. Where products keep E2's regions, the region of each entity that the words name
    is replaced by the embedding of the words, and the other regions stay: both halves of the score count the same.
    Without regions the photo's embedding is moved by the difference of two descriptions, of its tags after and before.

    `"text"` edits the photo's tags by the words and searches by the embedding of that description.

    `"combiner"` moves the query of `"arithmetic"` by a trained model.

    Args:
        model (`PreTrainedModel`): E2, CLIP or SigLIP.
        tokenizer (`PreTrainedTokenizerBase`): the model's.
        values (`Mapping[str, Sequence[str]]`): tag entity, or column, -> its known values.
        spaces (`Sequence[str]`): spaces in which products have vectors.
        editor (`Pipeline` or `Callable`, *optional*): edits descriptions. Default: rules over the known values.
        combiner ([`TrainedCombiner`], *optional*): for `"combiner"`; trained with this model.

    Raises:
        ValueError: `editor` is neither a text-generation pipeline nor a function, or the combiner searches a space in
            which products have no vectors.
    """

    def __init__(
        self,
        model: PreTrainedModel,
        tokenizer: PreTrainedTokenizerBase,
        values: Mapping[str, Sequence[str]],
        spaces: Sequence[str],
        editor: Any = None,
        combiner: TrainedCombiner | None = None,
    ):
        self.model, self.tokenizer = model, tokenizer
        self.values = {entity: list(its) for entity, its in values.items() if its}
        self.regions = region_spaces(model, spaces)
        self.reader = ChangeReader(self.values)
        self.editor = None if editor is None else read_editor(editor)
        self.combiner = combiner
        if combiner is not None:
            combiner.check_spaces(["image", *self.regions])
        self._embedded: dict[str, Tensor] = {}

    @cached_property
    def value_embeds(self) -> dict[str, Tensor]:
        """For each entity the embeddings of its values, (V, d)."""
        return {entity: self.embed_texts(its) for entity, its in self.values.items()}

    def embed_text(self, text: str) -> Tensor:
        """Embed a text, once: (d,), of length 1, on the CPU.

        Args:
            text (`str`): a text.
        """
        if text not in self._embedded:
            self._embed_new([text])
        return self._embedded[text]

    def prepare(self, asked: Iterable[tuple[str, Mapping[str, str]]]) -> None:
        """Embed the texts of many queries in batches, which is faster than query by query.

        Args:
            asked (`Iterable[tuple[str, Mapping[str, str]]]`): of each query, what to change and the photo's tags.
        """
        texts: dict[str, None] = {}
        for words, tags in asked:
            change = self.reader.read(words)
            named = [*change.wanted.values(), *(value for _, value in change.unwanted), *change.less]
            texts |= dict.fromkeys([words, " ".join(tags.values()), edit_tags(tags, change), *named])
        self._embed_new([text for text in texts if text and text not in self._embedded])

    def embed_texts(self, texts: Sequence[str]) -> Tensor:
        """Embed T texts: (T, d), of length 1, on the CPU. A warning says how many are cut.

        Args:
            texts (`Sequence[str]`): T texts.
        """
        warn_of_long_texts(self.tokenizer, texts, max_text_length(self.model, self.tokenizer))
        parts = []
        with inference(self.model):
            for start in range(0, len(texts), TEXTS_IN_A_BATCH):
                inputs = text_inputs(self.model, self.tokenizer, texts[start : start + TEXTS_IN_A_BATCH])
                parts.append(unit_length(text_features(self.model, inputs)).cpu())
        return torch.cat(parts)

    def embed_photos(self, inputs: dict[str, Tensor]) -> dict[str, Tensor]:
        """Embed B photos and the regions of E2's tag entities: for each space (B, d), of length 1, on the CPU.

        Args:
            inputs (`dict[str, torch.Tensor]`): of the photos, from [`photo_inputs`].
        """
        with inference(self.model):
            if not entity_names(self.model):
                return {"image": unit_length(photo_features(self.model, inputs)).cpu()}
            embeds = unit_length(photo_and_region_features(self.model, inputs)).cpu().unbind(dim=1)
        names = entity_names(self.model)
        return {"image": embeds[0]} | {
            name: embeds[1 + names.index(name)] for name in region_spaces(self.model, names)
        }

    def name_tags(self, photo: Mapping[str, Tensor]) -> dict[str, str]:
        """Return the known value of each entity that is nearest to a photo, or to its region of the entity.

        Args:
            photo (`Mapping[str, torch.Tensor]`): embeddings (d,) of one photo by space.
        """
        nearest = {
            entity: int((embeds @ photo.get(entity, photo["image"])).argmax())
            for entity, embeds in self.value_embeds.items()
        }
        return {entity: self.values[entity][place] for entity, place in nearest.items()}

    def query(
        self, photo: Mapping[str, Tensor], words: str, tags: Mapping[str, str] | None = None, way: str = WAYS[0]
    ) -> ChangedQuery:
        """Return what to search by for one photo and what to change in it.

        Args:
            photo (`Mapping[str, torch.Tensor]`): embeddings (d,) of the photo by space.
            words (`str`): what to change, such as `"in red"`.
            tags (`Mapping[str, str]`, *optional*): the photo's tags. Default: they are named by the model.
            way (`str`, *optional*, defaults to `"arithmetic"`): one of `WAYS`.

        Raises:
            ValueError: the words name nothing, there is nothing to search by, or the way is unknown.
        """
        check_way(way)
        tags = self.name_tags(photo) if tags is None else tags
        if way == "text":
            return ChangedQuery.of_image(self._described(words, tags))
        change = self.reader.read(words)
        vector = self._moved(photo["image"], words, change, tags)
        start = ChangedQuery(vector, self._parts(photo, change, vector))
        return self._combined(photo, words, start) if way == "combiner" else start

    def _described(self, words: str, tags: Mapping[str, str]) -> Tensor:
        """(d,): the edited description of the photo, away from what is not wanted."""
        if not tags:
            raise ValueError(
                "`change_by` 'text' edits the photo's tags, and there are none: keep them as metadata of the gallery "
                "(metadata_columns), or search by 'arithmetic'"
            )
        if self.editor is not None:
            return self.embed_text(self.editor(" ".join(tags.values()), words))
        change = self.reader.read(words)
        edited = edit_tags(tags, change)
        if not edited:
            raise ValueError("`change` leaves no tag of the photo to search by: name what is wanted too")
        avoided = [*(value for _, value in change.unwanted), *change.less]
        return unit_length(self.embed_text(edited) - AVOIDED * self._sum(avoided))

    def _moved(self, photo: Tensor, words: str, change: Change, tags: Mapping[str, str]) -> Tensor:
        """(d,): the photo's embedding, moved as the edit moves that of the description of its tags.

        A value that the model has named wrongly is in both descriptions, so that little of the error is left.
        """
        description = " ".join(tags.values())
        edited = edit_tags(tags, change) if self.editor is None else self.editor(description, words)
        absent = [value for entity, value in change.unwanted if tags.get(entity) != value]
        moved = self._sum([edited]) - self._sum([description]) - self._sum([*absent, *change.less])
        if not torch.is_nonzero((photo + moved).norm()):
            raise ValueError(f"`change` {shown(words)} leaves nothing of the photo to search by")
        return unit_length(photo + moved)

    def _combined(self, photo: Mapping[str, Tensor], words: str, start: ChangedQuery) -> ChangedQuery:
        """The query of arithmetic, moved by the combiner."""
        if self.combiner is None:
            raise ValueError(
                "`change_by` 'combiner' needs one that was trained with this model: give the pipeline its folder as "
                "`combiner` (--combiner), or search by 'arithmetic'"
            )
        spaces = self.combiner.spaces
        start = start if len(spaces) > 1 else ChangedQuery.of_image(start.vector)
        photos = torch.stack([photo[space] for space in spaces])
        inputs = (photos, self.embed_text(words), start.scaled(spaces))
        (vectors,) = self.combiner(*(one[None] for one in inputs))
        return ChangedQuery.of_scaled(vectors, spaces, start.vector)

    def _embed_new(self, texts: Sequence[str]) -> None:
        if len(self._embedded) + len(texts) > KEPT_TEXTS:
            self._embedded.clear()
        if texts:
            self._embedded |= zip(texts, self.embed_texts(texts), strict=True)

    def _sum(self, texts: Sequence[str]) -> Tensor:
        """(d,), or () of 0 for no text: the sum of the embeddings of texts that are not empty."""
        return sum((self.embed_text(text) for text in texts if text), torch.zeros(()))

    def _parts(self, photo: Mapping[str, Tensor], change: Change, vector: Tensor) -> tuple[Part, ...]:
        """Half of the score for what has changed, half for the regions that stay; without regions the whole photo."""
        if not self.regions:
            return ChangedQuery.of_image(vector).parts
        avoided: dict[str, list[str]] = {}
        for entity, value in change.unwanted:
            avoided.setdefault(entity, []).append(value)
        named = {entity: -unit_length(self._sum(its)) for entity, its in avoided.items()}
        named |= {entity: self.embed_text(value) for entity, value in change.wanted.items()}
        changed = [(entity, text) for entity, text in named.items() if entity in self.regions]
        if len(changed) < len(named) or change.more or change.less:
            changed.append(("image", vector))  # words without a region of their own
        kept = [(entity, photo[entity]) for entity in self.regions if entity not in named]
        halves = [half for half in (changed, kept) if half]
        return tuple(Part(space, embed, 1 / len(halves) / len(half)) for half in halves for space, embed in half)
