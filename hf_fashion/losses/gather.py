"""Embeddings of all processes, with gradients: a contrastive loss sees the joined batch."""

import torch
import torch.distributed as dist


def gather_with_gradient(tensor: torch.Tensor) -> torch.Tensor:
    """The tensors of all processes, stacked along the first dimension in the order of the ranks.

    The full loss computed from it on every rank has, after DistributedDataParallel's mean over ranks, exactly the
    gradients of one process on the joined batch: backward sums over the ranks what each found for a row.

    Args:
        tensor (`torch.Tensor` of shape `(B, ...)`): of the same shape on every rank.

    Returns:
        `torch.Tensor` of shape `(world size * B, ...)`: `tensor` itself where there is one process.
    """
    if not dist.is_initialized() or dist.get_world_size() == 1:
        return tensor
    return _Gather.apply(tensor)


class _Gather(torch.autograd.Function):
    # torch.distributed.nn's all_gather is deprecated, and its backward is wrong on gloo for gradients that are not
    # contiguous, as those of an einsum are.

    @staticmethod
    def forward(ctx, tensor: torch.Tensor) -> torch.Tensor:
        parts = [torch.empty_like(tensor, memory_format=torch.contiguous_format) for _ in range(dist.get_world_size())]
        dist.all_gather(parts, tensor.contiguous())
        return torch.cat(parts)

    @staticmethod
    def backward(ctx, gradient: torch.Tensor) -> torch.Tensor:
        gradient = gradient.contiguous().clone()
        dist.all_reduce(gradient)
        return gradient.chunk(dist.get_world_size())[dist.get_rank()]
