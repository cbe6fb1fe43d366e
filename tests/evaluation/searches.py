"""Small searches whose right answers are known, and re-rankers for them."""

import torch
from torch.nn.functional import normalize

from hf_fashion.evaluation.labelled_search import LabelledSearch


def random_search(queries: int = 5, gallery: int = 9, seed: int = 0) -> LabelledSearch:
    generator = torch.Generator().manual_seed(seed)
    embeds = normalize(torch.randn(queries + gallery, 4, generator=generator), dim=1)
    labels = torch.randint(3, (queries + gallery,), generator=generator)
    return LabelledSearch(embeds[:queries], embeds[queries:], labels[:queries], labels[queries:])


def within_itself(search: LabelledSearch) -> LabelledSearch:
    """Every item of the gallery asks all the others."""
    embeds, labels = search.gallery_embeds, search.gallery_labels
    return LabelledSearch(embeds, embeds, labels, labels, torch.arange(len(labels)))


def keep(query_embeds, candidate_embeds, candidate_mask):
    places = -torch.arange(candidate_mask.shape[1], dtype=torch.float32)
    return places.expand_as(candidate_mask).masked_fill(~candidate_mask, -torch.inf)


def reverse(query_embeds, candidate_embeds, candidate_mask):
    return -keep(query_embeds, candidate_embeds, torch.ones_like(candidate_mask)).masked_fill(
        ~candidate_mask, torch.inf
    )
