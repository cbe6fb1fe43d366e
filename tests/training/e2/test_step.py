"""Steps of E2 and CLIP: their losses are the models' own, and the factor on the cosines is limited."""

import math

import pytest
import torch
from transformers import CLIPConfig, CLIPModel

from hf_fashion.training.e2.step import MAX_LOGIT_SCALE, STEPS, ClipStep, E2Step
from tests.tiny_e2 import tiny_inputs, tiny_model
from tests.tiny_siglip import tiny_siglip


def tiny_clip() -> CLIPModel:
    config = tiny_model().config
    towers = {name: getattr(config, name).to_dict() for name in ("text_config", "vision_config")}
    torch.manual_seed(0)
    return CLIPModel(CLIPConfig(projection_dim=config.projection_dim, **towers)).eval()


def test_the_losses_of_e2_are_those_of_its_forward():
    model, inputs = tiny_model(contrastive_loss_weight=0.7, region_loss_weight=0.2), tiny_inputs(4)
    outputs = model(**inputs, return_loss=True)
    losses = E2Step()(model, model, inputs)
    torch.testing.assert_close(losses["loss"], outputs.loss)
    for name in ("contrastive", "region"):
        torch.testing.assert_close(losses[name], outputs.losses[name])


def test_the_loss_of_clip_is_that_of_its_forward():
    model = tiny_clip()
    inputs = {name: tiny_inputs(4)[name] for name in ("input_ids", "attention_mask", "pixel_values")}
    losses = ClipStep()(model, model, inputs)
    torch.testing.assert_close(losses["loss"], model(**inputs, return_loss=True).loss)
    assert losses["loss"] is losses["contrastive"]


def test_siglips_loss_is_that_of_its_forward_and_its_scale_is_not_limited():
    model = tiny_siglip()
    inputs = {"pixel_values": torch.randn(4, 3, 16, 16), "input_ids": torch.randint(514, (4, 40))}
    losses = ClipStep()(model, model, inputs)
    torch.testing.assert_close(losses["loss"], model(**inputs, return_loss=True).loss)
    with torch.no_grad():
        model.logit_scale.fill_(4.8)
        ClipStep().after_update(model)
    assert model.logit_scale.item() == pytest.approx(4.8)


@pytest.mark.parametrize("architecture", ["e2", "clip"])
@pytest.mark.parametrize(("before", "after"), [(9.0, math.log(100)), (-1.0, 0.0), (2.0, 2.0)])
def test_the_scale_is_limited_after_an_update(architecture, before, after):
    model = tiny_model() if architecture == "e2" else tiny_clip()
    with torch.no_grad():
        model.logit_scale.fill_(before)
        STEPS[architecture]().after_update(model)
    assert model.logit_scale.item() == pytest.approx(after) and after <= MAX_LOGIT_SCALE
