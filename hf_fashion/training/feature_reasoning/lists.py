"""Training data of FR: the first candidates of searches whose right candidates are known."""

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
    """The first candidates of one query. Embeddings stay in the search, which many lists share.

    Args:
        search (`LabelledSearch`): the search.
        query (`int`): row of its queries.
        places (`torch.Tensor` of shape `(k,)`): int64, rows of its gallery, the best candidate first.
        positives (`torch.Tensor` of shape `(k,)`): bool, whether the candidates are right.
    """

    search: LabelledSearch
    query: int
    places: Tensor
    positives: Tensor


class CandidateLists(Dataset):
    """Candidate lists that FR can learn from, each with the embeddings of its query and candidates.

    Args:
        searches (`Mapping[str, Sequence[LabelledSearch]]`): attribute -> searches, with embeddings of one dimension.
        num_candidates (`int`): the most candidates of a list.
        recipe (`ListsRecipe`): chooses the lists.
        seed (`int`, *optional*, defaults to 0): seed of the draw where an attribute has too many lists.

    Raises:
        ValueError: the recipe leaves no list.
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
        """Do nothing: every epoch has the same lists."""

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
    """Collate items of [`CandidateLists`] into a batch; shorter lists are padded.

    Args:
        items (`Sequence[Mapping[str, Tensor]]`): items of Q lists.

    Returns:
        `dict`: `query_embeds` (Q, d), `candidate_embeds` (Q, k, d), `positives` and `candidate_mask` (Q, k), with k
            the length of the longest list.
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
        candidates = ranked.first(num_candidates)
        right = candidates.hits.sum(1)
        # A list without a wrong candidate has an average precision of 1, so `max_average_precision` drops it.
        low = average_precisions_of_hits(candidates.hits) < recipe.max_average_precision
        for row in (low & (right >= recipe.min_positives)).nonzero().flatten().tolist():
            valid = candidates.valid[row]
            places, positives = candidates.places[row][valid], candidates.hits[row][valid]
            yield CandidateList(search, ranked.queries.start + row, places, positives)
