"""A copy of a model that follows it slowly (Wan et al. 2025, equation 10)."""

from copy import deepcopy
from typing import Any

import torch
import torch.distributed as dist


class MomentumEncoder(torch.nn.Module):
    """Average a model's weights exponentially, without gradients, in eval mode: the momentum encoder ME of IPAD.

    A training checkpoint keeps its `state_dict`. It is not part of the model, so it is not exported. A copy of a model
    that Accelerate has prepared computes in the same mixed precision.

    Args:
        model (`torch.nn.Module`): the model to follow, unwrapped.
        momentum (`float`, *optional*, defaults to 0.995): mu, in [0, 1); 0 copies the model at each update.

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
        """Apply equation 10, `theta' <- mu theta' + (1 - mu) theta`, to parameters and buffers, after each update.

        Integer buffers (counters) are copied. Other buffers (the statistics of a batch norm) differ between processes:
        all take those of the first process, so that their copies stay equal.

        Args:
            model (`torch.nn.Module`): the model that was given at the start, as it is now.
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
        """Stay in eval mode: the features must not depend on dropout or on the batch."""
        return super().train(False)

    @torch.no_grad()
    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """Return the copy's output, without gradients."""
        return self.model(*args, **kwargs)
