"""Optimiser and learning-rate schedule of a training stage."""

import math

import torch
from torch.optim.lr_scheduler import LambdaLR
from transformers import PreTrainedModel, get_cosine_schedule_with_warmup

from .recipe import StageRecipe, TrainingRecipe


def choose_trainable(model: PreTrainedModel, trainable: str) -> None:
    """Lets the gradient reach all parameters (`"all"`), or those of the model's `new_modules` alone (`"new"`)."""
    for name, parameter in model.named_parameters():
        parameter.requires_grad = trainable == "all" or name.startswith(tuple(model.new_modules))


def make_optimizer(model: PreTrainedModel, settings: TrainingRecipe, stage: StageRecipe) -> torch.optim.Adam:
    """Adam over the parameters that a gradient reaches, one group for each learning rate of the stage.

    Args:
        model (`PreTrainedModel`): its parameters' names tell the groups apart.
        settings (`TrainingRecipe`): betas and weight decay.
        stage (`StageRecipe`): learning rates.

    Raises:
        ValueError: if a name of `stage.learning_rates` begins no trainable parameter's name.
    """
    groups: dict[str, list[torch.nn.Parameter]] = {name: [] for name in ("", *stage.learning_rates)}
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            groups[max((prefix for prefix in groups if name.startswith(prefix)), key=len)].append(parameter)
    for prefix in stage.learning_rates:
        if not groups[prefix]:
            modules = ", ".join(dict.fromkeys(name.split(".")[0] for name, _ in model.named_parameters()))
            raise ValueError(
                f"`learning_rates` of stage {stage.name!r} names {prefix!r}, with which no trainable parameter's name "
                f"begins; the model's parts are {modules}."
            )
    rates = {"": stage.learning_rate, **stage.learning_rates}
    parts = [{"params": parameters, "lr": rates[prefix]} for prefix, parameters in groups.items() if parameters]
    betas = tuple(settings.adam_betas)
    return torch.optim.Adam(parts, lr=stage.learning_rate, betas=betas, weight_decay=settings.weight_decay, fused=True)


def make_schedule(
    optimizer: torch.optim.Optimizer, settings: TrainingRecipe, stage: StageRecipe, updates_an_epoch: int
) -> LambdaLR:
    """A warm-up and half a cosine over the stage; with `stage.decay`, a factor every `stage.decay_every` epochs.

    Args:
        optimizer (`torch.optim.Optimizer`): its groups keep their learning rates' ratios.
        settings (`TrainingRecipe`): `warmup_steps`.
        stage (`StageRecipe`): length and decay.
        updates_an_epoch (`int`): updates of a whole epoch.
    """
    if stage.decay is not None:
        steps = max(1, round(stage.decay_every * updates_an_epoch))
        return LambdaLR(optimizer, lambda update: stage.decay ** (update // steps))
    updates = math.ceil(stage.epochs * updates_an_epoch)
    return get_cosine_schedule_with_warmup(optimizer, min(settings.warmup_steps, updates // 2), updates)
