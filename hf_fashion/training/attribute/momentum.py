"""A copy of a model that follows it slowly (Wan et al. 2025, equation 10)."""

from copy import deepcopy
from typing import Any

import torch
import torch.distributed as dist


class MomentumEncoder(torch.nn.Module):
    """The momentum encoder ME of IPAD: an exponential moving average of a model, without gradients, in eval mode.

    Its `state_dict` is what a training checkpoint keeps; it is no part of the model, so not of the export either. Made
    of a model that Accelerate has prepared, it computes in the same mixed precision.

    Args:
        model (`torch.nn.Module`): the model to follow, not wrapped for several processes.
        momentum (`float`): mu, in [0, 1); 0 = the copy is the model of the last update.

    Raises:
        ValueError: if `momentum` is outside [0, 1).
    """

    def __init__(self, model: torch.nn.Module, momentum: float = 0.995):
        super().__init__()
        if not 0 <= momentum < 1:
            raise ValueError(f"`momentum` must be in [0, 1), got {momentum}.")
        self.momentum = momentum
        self.model = deepcopy(model).eval().requires_grad_(False)

    @torch.no_grad()
    def update(self, model: torch.nn.Module) -> None:
        """Equation 10, `theta' <- mu theta' + (1 - mu) theta`, for parameters and buffers; call it after each update.

        Buffers that are no floating point numbers (counters) are copied. Buffers, which differ between processes
        (the statistics of a batch norm), are taken from the first, so that all processes hold one copy.

        Args:
            model (`torch.nn.Module`): the model of the constructor, as it is now.
        """
        for own, other in zip(self.model.parameters(), model.parameters(), strict=True):
            own.lerp_(other, 1 - self.momentum)
        for own, other in zip(self.model.buffers(), model.buffers(), strict=True):
            if not own.is_floating_point():
                own.copy_(other)
                continue
            own.lerp_(other, 1 - self.momentum)
            if dist.is_initialized():
                dist.broadcast(own, src=0)

    def train(self, mode: bool = True) -> "MomentumEncoder":
        """Stays in eval mode whatever is asked: its features must not depend on dropout or on the batch."""
        return super().train(False)

    @torch.no_grad()
    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """What the copy gives for a model's inputs, without gradients."""
        return self.model(*args, **kwargs)
