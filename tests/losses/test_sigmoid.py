"""SigLIP's loss against a loop over pairs, and against transformers' own."""

import math

import pytest
import torch
from transformers import SiglipConfig, SiglipModel

from hf_fashion.losses.e2 import e2_losses
from hf_fashion.losses.info_nce import info_nce
from hf_fashion.losses.region import region_contrastive_loss
from hf_fashion.losses.sigmoid import filip_loss, pair_loss, sigmoid_loss
from tests.tiny_towers import TEXT, VISION


def naive_sigmoid_loss(logits, positives, valid):
    items = [i for i in range(len(logits)) if valid[i]]
    total = 0.0
    for i in items:
        for j in items:
            sign = 1 if positives[i][j] else -1
            total += math.log(1 + math.exp(-sign * logits[i][j]))
    return total / len(items) if items else 0.0


@pytest.mark.parametrize("labels", [[0, 1, 2, 3], [0, 0, 1, 1], [0, 0, 0, 0], [0, -1, 0, 2], [-1, -1, -1, -1]])
def test_equals_the_definition(labels):
    logits = torch.randn(4, 4, generator=torch.Generator().manual_seed(0)) * 3
    labels = torch.tensor(labels)
    positives, valid = labels[:, None] == labels[None], labels >= 0
    expected = naive_sigmoid_loss(logits.tolist(), positives.tolist(), valid.tolist())
    assert sigmoid_loss(logits, positives, valid).item() == pytest.approx(expected, rel=1e-5, abs=1e-7)


def test_default_is_siglips_loss():
    torch.manual_seed(0)
    model = SiglipModel(SiglipConfig(vision_config=VISION, text_config=TEXT | {"projection_size": 16})).eval()
    ids = torch.arange(1, 37).view(3, 12)
    outputs = model(input_ids=ids, pixel_values=torch.randn(3, 3, 16, 16), return_loss=True)
    torch.testing.assert_close(sigmoid_loss(outputs.logits_per_text), outputs.loss)


def test_large_logits_and_no_valid_item_are_finite_and_backward_works():
    logits = (torch.randn(2, 3, 3) * 1e4).requires_grad_()
    valid = torch.tensor([[True, False, True], [False, False, False]])
    losses = sigmoid_loss(logits, valid=valid)
    losses.sum().backward()
    assert losses.isfinite().all() and losses[1] == 0 and logits.grad.isfinite().all()
    assert (logits.grad[1] == 0).all() and (logits.grad[0, 1] == 0).all()


def test_either_loss():
    logits = torch.randn(4, 4)
    assert torch.equal(pair_loss(logits), info_nce(logits))
    assert torch.equal(pair_loss(logits, sigmoid=True), sigmoid_loss(logits))


def test_a_bias_makes_both_losses_of_e2_sigmoid():
    images, texts = torch.randn(2, 3, 8).unbind()
    regions, tags = torch.randn(2, 3, 2, 8).unbind()
    tag_ids, scale, bias = torch.tensor([[1, 5], [1, -1], [2, -1]]), torch.tensor(4.0), torch.tensor(-2.0)
    losses = e2_losses(images, texts, scale, regions, tags, tag_ids, logit_bias=bias)
    torch.testing.assert_close(losses["contrastive"], sigmoid_loss(scale * images @ texts.T + bias))
    entities = []
    for entity in (0, 1):
        ids = tag_ids[:, entity]
        logits = scale * regions[:, entity] @ tags[:, entity].T + bias
        entities.append(sigmoid_loss(logits, ids[:, None] == ids, ids >= 0))
    torch.testing.assert_close(losses["region"], sum(entities) / 2)
    assert not torch.equal(region_contrastive_loss(regions, tags, tag_ids, scale), losses["region"])


def test_filips_loss_equals_a_plain_loop_and_has_a_gradient():
    logits = [torch.randn(4, 4, requires_grad=True) for _ in range(2)]
    expected = 0.0
    for rows in logits:
        for row in range(4):
            exponentials = [math.exp(value) for value in rows[row].tolist()]
            expected -= math.log(exponentials[row] / sum(exponentials)) / 8
    loss = filip_loss(*logits)
    assert loss.item() == pytest.approx(expected, rel=1e-5)
    loss.backward()
    assert all(rows.grad.abs().sum() > 0 for rows in logits)


def test_filips_loss_with_one_similarity_for_both_ways_it_is_clips_loss():
    logits = torch.randn(5, 5)
    torch.testing.assert_close(filip_loss(logits, logits.T), info_nce(logits))


def test_siglips_loss_in_filip_is_that_of_both_ways():
    per_image, per_text = torch.randn(5, 5), torch.randn(5, 5)
    expected = (sigmoid_loss(per_image) + sigmoid_loss(per_text)) / 2
    torch.testing.assert_close(filip_loss(per_image, per_text, sigmoid=True), expected)


def test_half_precision_in_filips_loss_is_computed_in_float32():
    logits = torch.randn(5, 5).bfloat16() * 100
    assert filip_loss(logits, logits).dtype == torch.float32
