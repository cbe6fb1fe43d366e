"""Optimiser and learning-rate schedule of a training stage."""

import logging
import math

import torch
from torch.optim.lr_scheduler import LambdaLR
from transformers import PreTrainedModel, get_cosine_schedule_with_warmup

from .adapters import added_by_adapter
from .recipe import StageRecipe, TrainingRecipe


logger = logging.getLogger(__name__)


def choose_trainable(model: PreTrainedModel, trainable: str) -> None:
    """Freeze the parameters that a stage does not train.

    Args:
        model (`PreTrainedModel`): the model; of one with an adapter only what the adapter has added is trained.
        trainable (`str`): `"all"`, or `"new"` for only those of the model's `new_modules`.
    """
    added = added_by_adapter(model)
    for name, parameter in model.named_parameters():
        chosen = trainable == "all" or name.startswith(tuple(model.new_modules))
        parameter.requires_grad = chosen and (not added or name in added)


def make_optimizer(model: PreTrainedModel, settings: TrainingRecipe, stage: StageRecipe) -> torch.optim.Adam:
    """Return Adam over the trainable parameters, with a group for each key of `stage.learning_rates`.

    Args:
        model (`PreTrainedModel`): the names of its parameters decide the groups.
        settings (`TrainingRecipe`): betas and weight decay.
        stage (`StageRecipe`): learning rates.

    Raises:
        ValueError: if no trainable parameter's name begins with a key of `stage.learning_rates`.
    """
    rates = {"": stage.learning_rate, **stage.learning_rates}
    groups: dict[str, list[torch.nn.Parameter]] = {}
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            prefix = max((prefix for prefix in rates if name.startswith(prefix)), key=len)
            groups.setdefault(prefix, []).append(parameter)
    for prefix in stage.learning_rates:
        if prefix not in groups:
            modules = ", ".join(dict.fromkeys(name.split(".")[0] for name, _ in model.named_parameters()))
            raise ValueError(
                f"`learning_rates` of stage {stage.name!r} names {prefix!r}, but no trainable parameter's name begins "
                f"with it; the model's parts are {modules}."
            )
    parts = [{"params": group, "lr": rates[prefix]} for prefix, group in groups.items()]
    betas = tuple(settings.adam_betas)
    return torch.optim.Adam(parts, lr=stage.learning_rate, betas=betas, weight_decay=settings.weight_decay, fused=True)


def make_schedule(
    optimizer: torch.optim.Optimizer, settings: TrainingRecipe, stage: StageRecipe, updates_an_epoch: int
) -> LambdaLR:
    """Return a schedule: warm-up and half a cosine, or with `stage.decay` a factor every `decay_every` epochs.

    Args:
        optimizer (`torch.optim.Optimizer`): the schedule scales the learning rates of all its groups.
        settings (`TrainingRecipe`): `warmup_steps`; a stage of less than twice that number has a shorter warm-up,
            which is logged.
        stage (`StageRecipe`): length and decay.
        updates_an_epoch (`int`): updates in a whole epoch.
    """
    if stage.decay is not None:
        steps = max(1, round(stage.decay_every * updates_an_epoch))
        return LambdaLR(optimizer, lambda update: stage.decay ** (update // steps))
    updates = math.ceil(stage.epochs * updates_an_epoch)
    warmup = min(settings.warmup_steps, updates // 2)
    if warmup < settings.warmup_steps:
        logger.warning(
            "Stage %r has %d updates: its warm-up takes %d of them, not `training.warmup_steps` %d.",
            *(stage.name, updates, warmup, settings.warmup_steps),
        )
    return get_cosine_schedule_with_warmup(optimizer, warmup, updates)
