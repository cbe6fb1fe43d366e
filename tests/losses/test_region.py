"""The region loss: entity by entity, equal tags, missing tags."""

import pytest
import torch
from torch.nn.functional import normalize

from hf_fashion.losses.info_nce import info_nce
from hf_fashion.losses.region import region_contrastive_loss


SCALE = torch.tensor(10.0)


@pytest.fixture
def embeds():
    generator = torch.Generator().manual_seed(0)
    return [normalize(torch.randn(4, 2, 8, generator=generator), dim=-1) for _ in range(2)]


@pytest.mark.parametrize("targets", ["multi_positive", "diagonal"])
def test_is_the_mean_over_entities(embeds, targets):
    regions, tags = embeds
    ids = torch.tensor([[0, 5], [0, 6], [1, -1], [2, 5]])
    expected = []
    for entity in range(2):
        rows = ids[:, entity] >= 0
        logits = SCALE * regions[rows, entity] @ tags[rows, entity].T
        kept = ids[rows, entity]
        positives = kept[:, None] == kept[None] if targets == "multi_positive" else None
        expected.append(info_nce(logits, positives))
    loss = region_contrastive_loss(regions, tags, ids, SCALE, targets)
    torch.testing.assert_close(loss, torch.stack(expected).mean())


def test_targets_agree_when_every_tag_differs(embeds):
    ids = torch.arange(8).view(4, 2)
    losses = [region_contrastive_loss(*embeds, ids, SCALE, kind) for kind in ("multi_positive", "diagonal")]
    torch.testing.assert_close(*losses)


def test_diagonal_pushes_equal_tags_apart_and_multi_positive_does_not():
    """Two products of one brand with one and the same embedding: nothing is wrong, so nothing should move."""
    same = normalize(torch.randn(1, 1, 8), dim=-1).expand(2, 1, 8)
    ids = torch.zeros(2, 1, dtype=torch.long)
    gradients = {}
    for kind in ("multi_positive", "diagonal"):
        regions = same.clone().requires_grad_()
        tags = normalize(torch.randn(2, 1, 8, generator=torch.Generator().manual_seed(1)), dim=-1)
        (gradients[kind],) = torch.autograd.grad(region_contrastive_loss(regions, tags, ids, SCALE, kind), regions)
    spread = {kind: (grad[0] - grad[1]).abs().max() for kind, grad in gradients.items()}
    assert spread["multi_positive"] < 1e-6 < spread["diagonal"]


def test_entity_without_any_tag_is_left_out(embeds):
    regions, tags = embeds
    ids = torch.tensor([[0, -1], [1, -1], [2, -1], [3, -1]])
    alone = region_contrastive_loss(regions[:, :1], tags[:, :1], ids[:, :1], SCALE)
    torch.testing.assert_close(region_contrastive_loss(regions, tags, ids, SCALE), alone)


def test_no_tag_at_all_gives_zero(embeds):
    assert region_contrastive_loss(*embeds, torch.full((4, 2), -1), SCALE) == 0
