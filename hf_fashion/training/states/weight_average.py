"""Exponential moving average (EMA) of a model's weights: evaluated and exported in place of the last ones."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import chain
from typing import Any

import torch
from torch import Tensor, nn


class WeightAverage:
    """Average a model's weights over its updates, with less weight for older ones.

    After update t the average moves by `1 - min(decay, (1 + t) / (10 + t))` towards the weights: a short run forgets
    where it started.

    Args:
        model (`nn.Module`): the model; its parameters and statistics are averaged, from now on.
        decay (`float`): in (0, 1); 0.999 averages over about the last 1000 updates.
    """

    def __init__(self, model: nn.Module, decay: float):
        self.decay, self.updates = decay, 0
        self.averages = {name: tensor.detach().clone() for name, tensor in _weights(model)}

    @torch.no_grad()
    def update(self, model: nn.Module) -> None:
        """Follow the model after an update.

        Args:
            model (`nn.Module`): the model.
        """
        self.updates += 1
        share = 1 - min(self.decay, (1 + self.updates) / (10 + self.updates))
        for name, tensor in _weights(model):
            self.averages[name] = self.averages[name].to(tensor.device)
            self.averages[name].lerp_(tensor, share)

    @contextmanager
    def applied(self, model: nn.Module) -> Iterator[None]:
        """Give the model its average weights within the block, and its own ones back.

        Args:
            model (`nn.Module`): the model.
        """
        own = {name: tensor.data for name, tensor in _weights(model)}
        try:
            for name, tensor in _weights(model):
                tensor.data = self.averages[name].to(tensor.device)
            yield
        finally:
            for name, tensor in _weights(model):
                tensor.data = own[name]

    def state_dict(self) -> dict[str, Any]:
        """Return the average, for a checkpoint."""
        return {"updates": self.updates, "averages": self.averages}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from a checkpoint.

        Args:
            state (`Mapping[str, Any]`): from [`WeightAverage.state_dict`].

        Raises:
            ValueError: if it is of another model.
        """
        if set(state["averages"]) != set(self.averages):
            raise ValueError("the averaged weights are those of another model")
        self.updates, self.averages = state["updates"], dict(state["averages"])


def _weights(model: nn.Module) -> Iterator[tuple[str, Tensor]]:
    """Parameters, and buffers such as the statistics of a batch norm, each once though it may have two names."""
    for name, tensor in chain(model.named_parameters(), model.named_buffers()):
        if tensor.is_floating_point():
            yield name, tensor
