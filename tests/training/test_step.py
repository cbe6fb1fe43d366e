"""What a step is by default: nothing before a stage, nothing after an update, nothing more in a checkpoint."""

import pytest
import torch

from hf_fashion.training.recipe import StageRecipe
from hf_fashion.training.step import TrainingStep


class SquaredWeights(TrainingStep):
    def __call__(self, wrapped, model, batch):
        return {"loss": sum(parameter.square().sum() for parameter in wrapped.parameters())}


def test_only_the_losses_must_be_written():
    model, step = torch.nn.Linear(2, 1), SquaredWeights()
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    step.start_stage(model, StageRecipe(epochs=1, learning_rate=0.1))
    step.after_update(model)
    assert step.checkpointed == ()
    assert all(torch.equal(tensor, before[name]) for name, tensor in model.state_dict().items())
    assert step(model, model, {})["loss"] > 0


def test_a_step_without_losses_cannot_be_made():
    with pytest.raises(TypeError, match="abstract"):
        TrainingStep()
