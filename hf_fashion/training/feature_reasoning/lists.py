"""What FR learns from: first candidates of searches whose right answers are known."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.utils.data import Dataset

from ...evaluation.labelled_search import LabelledSearch
from ...metrics.attribute_map import average_precisions_of_hits
from .recipe import ListsRecipe


@dataclass(frozen=True)
class CandidateList:
    """
    Args:
        search (`LabelledSearch`): what the places refer to.
        query (`int`): row of the search's queries.
        places (`torch.Tensor` of shape `(k,)`): int64; rows of its gallery, the best first.
        positives (`torch.Tensor` of shape `(k,)`): bool; whether they are right.
    """

    search: LabelledSearch
    query: int
    places: Tensor
    positives: Tensor


class CandidateLists(Dataset):
    """Lists that teach something, each with the embeddings of its query and candidates.

    Args:
        searches (`dict[str, list[LabelledSearch]]`): attribute -> searches of one width d.
        num_candidates (`int`): k, candidates of a list at most.
        recipe (`ListsRecipe`): which lists teach something.
        seed (`int`): of the lists that are drawn where an attribute has too many.

    Raises:
        ValueError: if no list is left.
    """

    def __init__(
        self, searches: Mapping[str, Sequence[LabelledSearch]], num_candidates: int, recipe: ListsRecipe, seed: int = 0
    ):
        generator = torch.Generator().manual_seed(seed)
        self.lists: list[CandidateList] = []
        self.counts: dict[str, int] = {}
        for name, parts in searches.items():
            found = [one for search in parts for one in _worth_learning(search, num_candidates, recipe)]
            chosen = torch.randperm(len(found), generator=generator)[: recipe.per_attribute].tolist()
            self.lists += [found[number] for number in sorted(chosen)]
            self.counts[name] = len(chosen)
        if not self.lists:
            raise ValueError(
                f"no list of {num_candidates} candidates has {recipe.min_positives} right ones "
                f"(`lists.min_positives`) and an average precision below {recipe.max_average_precision} "
                "(`lists.max_average_precision`): hold more products out, or ask for less"
            )

    def set_epoch(self, epoch: int) -> None:
        """Every epoch shows the same lists."""

    def __len__(self) -> int:
        return len(self.lists)

    def __getitem__(self, number: int) -> dict[str, Tensor]:
        one = self.lists[number]
        return {
            "query_embeds": one.search.query_embeds[one.query],
            "candidate_embeds": one.search.gallery_embeds[one.places],
            "positives": one.positives,
        }


def collate_lists(items: Sequence[Mapping[str, Tensor]]) -> dict[str, Tensor]:
    """Batches items of [`CandidateLists`], shorter lists padded.

    Args:
        items (`list[dict]`): of Q lists.

    Returns:
        `query_embeds` (Q, d), `candidate_embeds` (Q, k, d), `positives` and `candidate_mask` (Q, k), k the longest.
    """
    pad = torch.nn.utils.rnn.pad_sequence
    there = [torch.ones_like(item["positives"]) for item in items]
    return {
        "query_embeds": torch.stack([item["query_embeds"] for item in items]),
        "candidate_embeds": pad([item["candidate_embeds"] for item in items], batch_first=True),
        "positives": pad([item["positives"] for item in items], batch_first=True),
        "candidate_mask": pad(there, batch_first=True),
    }


def _worth_learning(search: LabelledSearch, num_candidates: int, recipe: ListsRecipe) -> Iterable[CandidateList]:
    for ranked in search.rankings():
        hits, there = ranked.hits[:, :num_candidates], ranked.valid[:, :num_candidates]
        right = hits.sum(1)
        # A list without a wrong candidate has an average precision of 1, so `max_average_precision` leaves it out.
        wanted = (average_precisions_of_hits(hits) < recipe.max_average_precision) & (right >= recipe.min_positives)
        for row in wanted.nonzero().flatten().tolist():
            mask = there[row]
            places = ranked.places[row, :num_candidates][mask]
            yield CandidateList(search, ranked.queries.start + row, places, hits[row][mask])
