"""Train a model for a number of steps, in bfloat16, and stop when the time is up."""

import time
from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn
from transformers import get_cosine_schedule_with_warmup

from benchmarks.gpu_batch.settings import Settings


class OutOfTime(Exception):
    """The budget is spent: what is not done is left for the next call."""


class Clock:
    """The time that is left.

    Args:
        budget_s (`float`): seconds from now on.
    """

    def __init__(self, budget_s: float):
        self.end = time.monotonic() + budget_s

    @property
    def left_s(self) -> float:
        """Seconds left."""
        return self.end - time.monotonic()

    def check(self) -> None:
        """Raise `OutOfTime` if no time is left."""
        if self.left_s <= 0:
            raise OutOfTime


def mixed_precision(device: torch.device) -> torch.autocast:
    """Return the context of the forward passes in training."""
    return torch.autocast(device.type, torch.bfloat16)


def with_rates(model: nn.Module, pretrained: Sequence[str], settings: Settings) -> list[dict]:
    """Return parameter groups: pretrained weights learn more slowly.

    Args:
        model (`nn.Module`): the model.
        pretrained (`Sequence[str]`): parts of the names of pretrained weights.
        settings (`Settings`): both learning rates.
    """
    groups: dict[float, list[nn.Parameter]] = {settings.tower_rate: [], settings.new_rate: []}
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            old = any(part in name for part in pretrained)
            groups[settings.tower_rate if old else settings.new_rate].append(parameter)
    return [{"params": parameters, "lr": rate} for rate, parameters in groups.items() if parameters]


def optimise(
    model: nn.Module,
    groups: list[dict],
    num_steps: int,
    loss_of: Callable[[int], Tensor],
    clock: Clock,
    after_update: Callable[[], None] = lambda: None,
) -> None:
    """Train by AdamW: a tenth of the steps warm up, then a cosine.

    Args:
        model (`nn.Module`): the model; it ends in evaluation mode.
        groups (`list[dict]`): its parameters, each group with `lr`.
        num_steps (`int`): updates.
        loss_of (`Callable`): number of the step -> loss.
        clock (`Clock`): the time that is left.
        after_update (`Callable`): called after each update.

    Raises:
        OutOfTime: the time is up.
        ValueError: the last loss is not finite.
    """
    optimizer = torch.optim.AdamW(groups, weight_decay=0.01)
    schedule = get_cosine_schedule_with_warmup(optimizer, num_steps // 10, num_steps)
    model.train()
    for number in range(num_steps):
        clock.check()
        optimizer.zero_grad()
        loss = loss_of(number)
        loss.backward()
        optimizer.step()
        schedule.step()
        after_update()
    model.eval()
    if not torch.isfinite(loss):
        raise ValueError(f"the loss is {loss.item()} after {num_steps} steps: lower the learning rates")
