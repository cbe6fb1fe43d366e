"""Training data of a combiner: photos with words that change one tag, and the products to find."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.utils.data import Dataset

from ...embedding.changes.photo_changes import PhotoChanger
from ...embedding.corpus import equality_ids
from ...evaluation.changes.change_triples import ChangeTriple, change_triples


@dataclass(frozen=True, eq=False)
class _Query:
    """A triple with the query that the combiner moves, and the number of the targets' combination of tags."""

    triple: ChangeTriple
    start: Tensor
    key: int


class ChangeQueries(Dataset):
    """Queries of a photo and words, each with one of the products to find, another one in each epoch.

    Args:
        tags (`Mapping[str, Sequence[str | None]]`): tag entity -> its value in each of N rows.
        embeds (`Mapping[str, torch.Tensor]`): space -> embeddings of the rows' photos, (N, d), of length 1.
        changer ([`PhotoChanger`]): of the embedding model; knows the values of the tags.
        spaces (`Sequence[str]`): S spaces that the combiner searches.
        per_entity (`int`): how many queries that change each entity to draw.
        seed (`int`, *optional*, defaults to 0): of the draw, and of the products to find.

    Raises:
        ValueError: no product differs from another in one tag.
    """

    def __init__(
        self,
        tags: Mapping[str, Sequence[str | None]],
        embeds: Mapping[str, Tensor],
        changer: PhotoChanger,
        spaces: Sequence[str],
        per_entity: int,
        seed: int = 0,
    ):
        self.photos = torch.stack([embeds[space] for space in spaces], dim=1)  # (N, S, d)
        self.seed, self.epoch = seed, 0
        drawn = {entity: _draw(change_triples(tags, entity), per_entity, seed) for entity in tags}
        self.counts = {entity: len(triples) for entity, triples in drawn.items()}
        triples = [triple for its in drawn.values() for triple in its]
        if not triples:
            raise ValueError("no product of the train split differs from another in one tag only: nothing to learn")
        keys = equality_ids(tuple(its[triple.targets[0]] for its in tags.values()) for triple in triples)
        starts = _starts(triples, embeds, changer, spaces)
        self.words = {triple.words: changer.embed_text(triple.words) for triple in triples}
        self.queries = [_Query(*its) for its in zip(triples, starts, keys.tolist(), strict=True)]

    def set_epoch(self, epoch: int) -> None:
        """Draw other products to find."""
        self.epoch = epoch

    def __len__(self) -> int:
        return len(self.queries)

    def __getitem__(self, number: int) -> dict[str, Tensor]:
        query = self.queries[number]
        targets = query.triple.targets
        return {
            "photo_embeds": self.photos[query.triple.row],
            "words_embeds": self.words[query.triple.words],
            "start_embeds": query.start,
            "target_embeds": self.photos[targets[hash((self.seed, self.epoch, number)) % len(targets)]],
            "keys": torch.tensor(query.key),
        }


def collate_queries(items: Sequence[Mapping[str, Tensor]]) -> dict[str, Tensor]:
    """Collate items of [`ChangeQueries`] into a batch.

    Args:
        items (`Sequence[Mapping[str, Tensor]]`): items of B queries.

    Returns:
        `dict`: `photo_embeds`, `start_embeds` and `target_embeds` (B, S, d), `words_embeds` (B, d), `keys` (B,), equal
            where one query's target is one of the other too.
    """
    return {name: torch.stack([item[name] for item in items]) for name in items[0]}


def _draw(triples: Sequence[ChangeTriple], number: int, seed: int) -> list[ChangeTriple]:
    chosen = torch.randperm(len(triples), generator=torch.Generator().manual_seed(seed))[:number]
    return [triples[place] for place in sorted(chosen.tolist())]


def _starts(
    triples: Sequence[ChangeTriple], embeds: Mapping[str, Tensor], changer: PhotoChanger, spaces: Sequence[str]
) -> list[Tensor]:
    """The query of arithmetic for each triple, (S, d), with the tags that the model names."""
    photos = {row: {space: its[row] for space, its in embeds.items()} for row in {one.row for one in triples}}
    named = {row: changer.name_tags(photo) for row, photo in photos.items()}
    changer.prepare((triple.words, named[triple.row]) for triple in triples)
    starts = []
    for triple in triples:
        query = changer.query(photos[triple.row], triple.words, named[triple.row])
        starts.append(query.scaled(spaces))
    return starts
