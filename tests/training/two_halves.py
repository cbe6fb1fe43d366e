"""A step in two processes, with half a batch each, learns what it learns in one process with the whole batch."""

from collections.abc import Callable
from pathlib import Path

import torch
import torch.distributed as dist
from safetensors.torch import load_file, save_file
from torch.nn.parallel import DistributedDataParallel
from transformers import PreTrainedModel

from tests.warm_processes import end_rank, run_ranks


# (model that computes, model itself, rows of four products) -> loss
LossOf = Callable[[torch.nn.Module, PreTrainedModel, slice], torch.Tensor]


def require_as_one(make: Callable[[], PreTrainedModel], loss_of: LossOf, folder: Path) -> None:
    """Fail unless two processes have the loss and gradients of one.

    Args:
        make (`Callable`): a function of a module; makes the model, always the same.
        loss_of (`Callable`): a function of a module.
        folder (`Path`): an empty folder.
    """
    run_ranks(_run_rank, str(folder), make, loss_of)
    model = make()
    expected = _gradients(loss_of(model, model, slice(4)), model)
    for rank in range(2):
        torch.testing.assert_close(load_file(folder / str(rank)), expected, rtol=1e-4, atol=1e-6)


def _run_rank(rank: int, folder: str, make: Callable[[], PreTrainedModel], loss_of: LossOf) -> None:
    dist.init_process_group("gloo", init_method=f"file://{folder}/meeting", rank=rank, world_size=2)
    core = make()
    model = DistributedDataParallel(core, find_unused_parameters=True)
    save_file(_gradients(loss_of(model, core, slice(2 * rank, 2 * rank + 2)), core), f"{folder}/{rank}")
    end_rank()


def _gradients(loss: torch.Tensor, model: PreTrainedModel) -> dict[str, torch.Tensor]:
    loss.backward()
    found = {name: weight.grad for name, weight in model.named_parameters() if weight.grad is not None}
    return {"loss": loss.detach()} | {name: gradient.contiguous() for name, gradient in found.items()}
