"""Gathers embeddings of all processes, with gradients, so that a loss sees the joined batch."""

import torch
import torch.distributed as dist


def gather_with_gradient(tensor: torch.Tensor) -> torch.Tensor:
    """Return the tensors of all processes, stacked along the first dimension in the order of the ranks.

    Every rank computes the whole loss from it. After DistributedDataParallel's mean over the ranks, the gradients are
    exactly those of one process with the joined batch: backward sums each row's gradients over the ranks.

    Args:
        tensor (`torch.Tensor` of shape `(B, ...)`): of the same shape on every rank.

    Returns:
        `torch.Tensor` of shape `(world size * B, ...)`: `tensor` itself if there is only one process.
    """
    if not dist.is_initialized() or dist.get_world_size() == 1:
        return tensor
    return _Gather.apply(tensor)


def gather_sequences(tensor: torch.Tensor) -> torch.Tensor:
    """Return sequences of all processes, as [`gather_with_gradient`], padded with zeros to the longest of them.

    Args:
        tensor (`torch.Tensor` of shape `(B, L, ...)`): of the same shape on every rank, but for L.

    Returns:
        `torch.Tensor` of shape `(world size * B, longest L, ...)`: `tensor` itself if there is only one process.
    """
    if not dist.is_initialized() or dist.get_world_size() == 1:
        return tensor
    longest = torch.tensor(tensor.shape[1], device=tensor.device)
    dist.all_reduce(longest, dist.ReduceOp.MAX)
    padding = (0, 0) * (tensor.ndim - 2) + (0, int(longest) - tensor.shape[1])
    return gather_with_gradient(torch.nn.functional.pad(tensor, padding))


def joined_mean(mean: torch.Tensor, count: torch.Tensor) -> torch.Tensor:
    """Return the mean over the elements of all processes, with gradients as of [`gather_with_gradient`].

    Args:
        mean (`torch.Tensor` of shape `()`): over the elements of this process.
        count (`torch.Tensor` of shape `()`): how many these are; one or more.

    Returns:
        `torch.Tensor` of shape `()`: `mean` itself if there is only one process.
    """
    if not dist.is_initialized() or dist.get_world_size() == 1:
        return mean
    sums = gather_with_gradient((mean * count)[None])  # (world size,)
    return sums.sum() / gather_with_gradient(count[None]).sum()


def first_joined_row(num_rows: int) -> int:
    """Return the row of the joined batch at which the rows of this process begin.

    Args:
        num_rows (`int`): rows of each process.
    """
    return dist.get_rank() * num_rows if dist.is_initialized() else 0


class _Gather(torch.autograd.Function):
    # torch.distributed.nn's all_gather is deprecated, and its backward is wrong on gloo for gradients that are not
    # contiguous, as those of an einsum are.

    @staticmethod
    def forward(ctx, tensor: torch.Tensor) -> torch.Tensor:
        parts = [torch.empty_like(tensor, memory_format=torch.contiguous_format) for _ in range(dist.get_world_size())]
        dist.all_gather(parts, tensor.contiguous())
        # Autocast on a CPU has no `cat` of float16.
        with torch.autocast(tensor.device.type, enabled=False):
            return torch.cat(parts)

    @staticmethod
    def backward(ctx, gradient: torch.Tensor) -> torch.Tensor:
        gradient = gradient.contiguous().clone()
        dist.all_reduce(gradient)
        return gradient.chunk(dist.get_world_size())[dist.get_rank()]
