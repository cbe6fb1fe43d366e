"""The losses of E2 in one process: each is its own function of the scaled cosines."""

import pytest
import torch
from torch.nn.functional import cross_entropy, normalize

from hf_fashion.losses.e2 import e2_losses
from hf_fashion.losses.region import region_contrastive_loss


TAG_IDS = torch.tensor([[0, 3], [0, 4], [1, -1], [0, 3]])
SCALE = torch.tensor(7.0)


def embeds(*shape: int, seed: int = 0) -> torch.Tensor:
    return normalize(torch.randn(*shape, generator=torch.Generator().manual_seed(seed)), dim=-1)


def test_the_contrastive_loss_is_clips():
    images, texts = embeds(4, 6), embeds(4, 6, seed=1)
    logits, rows = SCALE * images @ texts.T, torch.arange(4)
    expected = (cross_entropy(logits, rows) + cross_entropy(logits.T, rows)) / 2
    torch.testing.assert_close(e2_losses(images, texts, SCALE)["contrastive"], expected)


def test_without_regions_there_is_no_region_loss():
    assert set(e2_losses(embeds(3, 4), embeds(3, 4), SCALE)) == {"contrastive"}


@pytest.mark.parametrize("targets", ["multi_positive", "diagonal"])
def test_the_region_loss_is_that_of_regions_and_tags(targets):
    regions, tags = embeds(4, 2, 6, seed=2), embeds(4, 2, 6, seed=3)
    losses = e2_losses(embeds(4, 6), embeds(4, 6, seed=1), SCALE, regions, tags, TAG_IDS, targets)
    assert list(losses) == ["contrastive", "region"]
    torch.testing.assert_close(losses["region"], region_contrastive_loss(regions, tags, TAG_IDS, SCALE, targets))


def test_every_embedding_and_the_scale_get_a_gradient():
    leaves = [embeds(4, 6), embeds(4, 6, seed=1), SCALE.clone(), embeds(4, 2, 6, seed=2), embeds(4, 2, 6, seed=3)]
    for leaf in leaves:
        leaf.requires_grad_()
    sum(e2_losses(*leaves, TAG_IDS).values()).backward()
    assert all(leaf.grad.abs().sum() > 0 for leaf in leaves)
