"""A step on outputs of frozen layers: the losses of the step around which it is, layers frozen in every stage."""

import pytest
import torch

from hf_fashion.training.e2.recipe import E2ModelRecipe, RegionWeightRecipe
from hf_fashion.training.e2.step import MAX_LOGIT_SCALE, make_step
from hf_fashion.training.frozen_layers.layers import FrozenLayers
from hf_fashion.training.frozen_layers.step import FrozenStep
from hf_fashion.training.optimisation import choose_trainable
from hf_fashion.training.recipe import StageRecipe
from tests.tiny_e2 import IMAGE_SIZE, tiny_inputs
from tests.tiny_e2_families import tiny_e2_on


def test_it_is_the_step_inside_on_outputs():
    model, inputs = tiny_e2_on("dinov2", first_selection_layer=3, fusion_layers=[3]), tiny_inputs(4)
    frozen = FrozenLayers(model, 2, (IMAGE_SIZE, IMAGE_SIZE))
    inside = make_step(E2ModelRecipe(region_weight=RegionWeightRecipe(start=0, end=1, epochs=2)))
    inside.checkpointed = ["a queue"]
    step = FrozenStep(inside, frozen)
    assert step.checkpointed == ["a queue"]

    step.start_batch(0.5)
    losses = step(model, model, inputs | {"pixel_values": frozen.run(inputs["pixel_values"])})
    torch.testing.assert_close(losses, inside(model, model, inputs))
    torch.testing.assert_close(losses["loss"], 0.5 * losses["contrastive"] + 0.25 * losses["region"])

    stage = StageRecipe(epochs=1, learning_rate=1)
    choose_trainable(model, stage)
    step.start_stage(model, stage)
    assert not any(parameter.requires_grad for layer in frozen.layers for parameter in layer.parameters())
    assert model.region_head.projections[0].weight.requires_grad
    with torch.no_grad():
        model.logit_scale.fill_(9.0)
        step.after_update(model)
    assert model.logit_scale.item() == pytest.approx(MAX_LOGIT_SCALE)
