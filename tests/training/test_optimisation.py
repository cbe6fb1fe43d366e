"""Groups of learning rates by name, which parameters train, and the two schedules update by update."""

import math
from types import SimpleNamespace

import pytest
import torch
from torch import nn

from hf_fashion.training.optimisation import (
    LOSSES_READ_AT_ONCE,
    DivergenceGuard,
    choose_attention,
    choose_trainable,
    make_optimizer,
    make_schedule,
    recompute_activations,
)
from hf_fashion.training.recipe import StageRecipe, TrainingRecipe
from tests.tiny_e2 import tiny_model
from tests.training.backbone.tiny_backbone import tiny_classifier


class Parts(nn.Module):
    new_modules = ["head"]

    def __init__(self):
        super().__init__()
        self.backbone, self.head = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2)), nn.Linear(2, 1)


@pytest.mark.parametrize(
    ("device", "precision", "attention"), [("cpu", "bf16", "eager"), ("cpu", "no", "sdpa"), ("cuda", "bf16", "sdpa")]
)
def test_attention_fits_device_and_precision(device, precision, attention):
    model = tiny_model()
    choose_attention(model, SimpleNamespace(device=torch.device(device), mixed_precision=precision))
    assert model.config._attn_implementation == model.vision_model.config._attn_implementation == attention


def test_activations_are_recomputed_where_the_recipe_asks_for_it():
    model = tiny_model()
    recompute_activations(model, TrainingRecipe())
    assert not model.is_gradient_checkpointing
    recompute_activations(model, TrainingRecipe(gradient_checkpointing=True))
    assert model.is_gradient_checkpointing


def test_a_model_whose_activations_cannot_be_recomputed_is_named():
    recompute_activations(tiny_classifier(), TrainingRecipe())
    with pytest.raises(ValueError, match=r"`training\.gradient_checkpointing` must be false: a ResNetForImageClass"):
        recompute_activations(tiny_classifier(), TrainingRecipe(gradient_checkpointing=True))


def groups(model, **stage):
    optimizer = make_optimizer(model, TrainingRecipe(), StageRecipe(epochs=1, learning_rate=0.1, **stage))
    names = {id(parameter): name for name, parameter in model.named_parameters()}
    return {group["lr"]: [names[id(p)] for p in group["params"]] for group in optimizer.param_groups}


def schedule(stage, settings=None, updates_an_epoch=3, updates=8):
    optimizer = torch.optim.SGD([{"params": [nn.Parameter(torch.zeros(1))], "lr": lr} for lr in (1.0, 0.5)])
    scheduler = make_schedule(optimizer, settings or TrainingRecipe(), stage, updates_an_epoch)
    rates = []
    for _ in range(updates):
        rates.append(scheduler.get_last_lr())
        optimizer.step()
        scheduler.step()
    return rates


def test_without_names_there_is_one_group():
    assert groups(Parts()) == {0.1: [name for name, _ in Parts().named_parameters()]}


def test_the_longest_name_counts():
    found = groups(Parts(), learning_rates={"backbone": 0.01, "backbone.1.w": 0.001})
    assert found == {
        0.1: ["head.weight", "head.bias"],
        0.01: ["backbone.0.weight", "backbone.0.bias", "backbone.1.bias"],
        0.001: ["backbone.1.weight"],
    }


def test_no_empty_group_and_nothing_frozen():
    model = Parts()
    choose_trainable(model, StageRecipe(epochs=1, learning_rate=0.1, trainable="new"))
    assert groups(model, learning_rates={"head": 0.2}) == {0.2: ["head.weight", "head.bias"]}
    choose_trainable(model, StageRecipe(epochs=1, learning_rate=0.1))
    assert all(parameter.requires_grad for parameter in model.parameters())


def test_a_learning_rate_of_0_freezes():
    model, rates = Parts(), {"backbone": 0.0, "backbone.1": 0.01}
    choose_trainable(model, StageRecipe(epochs=1, learning_rate=0.1, learning_rates=rates))
    model.head(model.backbone(torch.zeros(1, 2))).sum().backward()
    assert [name for name, weights in model.named_parameters() if weights.grad is None] == [
        "backbone.0.weight",
        "backbone.0.bias",
    ]
    assert groups(model, learning_rates=rates) == {
        0.1: ["head.weight", "head.bias"],
        0.01: ["backbone.1.weight", "backbone.1.bias"],
    }
    with pytest.raises(ValueError, match="names 'backbon0'"):
        groups(model, learning_rates=rates | {"backbon0": 0.0})
    choose_trainable(model, StageRecipe(epochs=1, learning_rate=0.1))
    assert all(weights.requires_grad for weights in model.parameters())


def test_a_stage_that_trains_nothing_is_refused():
    model, stage = Parts(), StageRecipe(epochs=1, learning_rate=0.0, name="idle")
    choose_trainable(model, stage)
    with pytest.raises(ValueError, match="'idle' trains nothing: `trainable` is 'all'"):
        make_optimizer(model, TrainingRecipe(), stage)


def test_a_rate_of_0_may_be_that_of_no_parameter_itself():
    stage = StageRecipe(
        epochs=1, learning_rate=0.1, learning_rates={"head": 0.0, "head.weight": 0.2, "head.bias": 0.2}
    )
    model = Parts()
    choose_trainable(model, stage)
    assert len(make_optimizer(model, TrainingRecipe(), stage).param_groups) == 3


class Adapted(Parts):
    """Names as peft makes them."""

    def __init__(self):
        super().__init__()
        self.backbone[0].lora_A = nn.ModuleDict({"default": nn.Linear(2, 1)})
        self.head = nn.ModuleDict({"modules_to_save": nn.ModuleDict({"default": self.head})})


@pytest.mark.parametrize(("trainable", "number"), [("all", 4), ("new", 2)])
def test_of_a_model_with_an_adapter_only_that_trains(trainable, number):
    model = Adapted()
    choose_trainable(model, StageRecipe(epochs=1, learning_rate=0.1, trainable=trainable))
    trained = [name for name, parameter in model.named_parameters() if parameter.requires_grad]
    assert len(trained) == number and all(".lora_" in name or ".modules_to_save." in name for name in trained)


def test_a_name_that_begins_none_is_refused():
    with pytest.raises(ValueError, match=r"'full' names 'heads'.*parts are backbone, head"):
        groups(Parts(), learning_rates={"heads": 0.2})
    model = Parts()
    choose_trainable(model, StageRecipe(epochs=1, learning_rate=0.1, trainable="new"))
    with pytest.raises(ValueError, match="no trainable parameter"):
        groups(model, learning_rates={"backbone": 0.2})


def test_settings_of_adam():
    settings = TrainingRecipe(adam_betas=[0.5, 0.6], weight_decay=0.25)
    (group,) = make_optimizer(Parts(), settings, StageRecipe(epochs=1, learning_rate=0.1)).param_groups
    assert group["betas"] == (0.5, 0.6) and group["weight_decay"] == 0.25


def test_a_warm_up_that_is_shortened_is_said(caplog):
    assert schedule(StageRecipe(epochs=2, learning_rate=1), updates=4)[3] == [1.0, 0.5]
    assert "Stage 'full' has 6 updates: its warm-up takes 3 of them, not `training.warmup_steps` 100" in caplog.text
    caplog.clear()
    schedule(StageRecipe(epochs=2, learning_rate=1), TrainingRecipe(warmup_steps=3))
    assert not caplog.text


def test_steps_of_decay_in_every_group():
    rates = schedule(StageRecipe(epochs=9, learning_rate=1, decay=0.5, decay_every=1))
    assert rates == [[1.0, 0.5]] * 3 + [[0.5, 0.25]] * 3 + [[0.25, 0.125]] * 2
    rates = schedule(StageRecipe(epochs=9, learning_rate=1, decay=0.5, decay_every=1 / 3))
    assert [rate for rate, _ in rates] == [0.5**update for update in range(8)]


def test_warm_up_and_half_a_cosine():
    rates = schedule(StageRecipe(epochs=2, learning_rate=1), TrainingRecipe(warmup_steps=2), updates=7)
    expected = [0, 0.5] + [(1 + math.cos(math.pi * step / 4)) / 2 for step in range(5)]
    assert [rate for rate, _ in rates] == pytest.approx(expected)
    assert [rate for _, rate in rates] == pytest.approx([rate / 2 for rate in expected])


@pytest.mark.parametrize("checked", [True, False])
def test_a_loss_that_is_not_finite_is_said_with_its_update(checked):
    guard, model = DivergenceGuard(patience=0), Parts()
    guard.watch(torch.tensor(1.0), 1)
    guard.check(model)
    guard.watch(torch.tensor(math.nan), 2)
    with pytest.raises(ValueError, match=r"loss of update 2 is nan: the training has diverged\. Lower"):
        guard.check(model) if checked else [guard.watch(torch.tensor(1.0), 3) for _ in range(LOSSES_READ_AT_ONCE)]


def test_in_float16_losses_may_be_left_out_for_a_while():
    guard, model = DivergenceGuard(patience=2), Parts()
    for update, loss in enumerate([math.inf, math.nan, 1.0, math.nan, math.nan]):
        guard.watch(torch.tensor(loss), update)
        guard.check(model)
    guard.watch(torch.tensor(math.inf), 5)
    with pytest.raises(ValueError, match="loss of update 5 is inf"):
        guard.check(model)


@pytest.mark.parametrize("name", ["head.bias", "norm.running_mean"])
def test_weights_and_buffers_that_are_not_finite_are_named(name):
    guard, model = DivergenceGuard(patience=9), Parts()
    model.norm = nn.BatchNorm1d(2)
    guard.check(model)
    with torch.no_grad():
        model.get_submodule(name.partition(".")[0]).state_dict()[name.partition(".")[2]].fill_(math.inf)
    with pytest.raises(ValueError, match=rf"weights {name} are no longer finite"):
        guard.check(model)
