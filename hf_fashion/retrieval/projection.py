"""Compress the vectors of a space: store their coordinates along a few principal axes."""

from __future__ import annotations

import torch
from torch import Tensor

from ..losses.cosine import unit_rows


def principal_axes(vectors: Tensor, dimensions: int) -> Tensor:
    """Return the axes through the origin that vectors of length 1 lie closest to: eigenvectors of XᵀX.

    Args:
        vectors (`torch.Tensor` of shape `(N, d)`): of any length but 0.
        dimensions (`int`): r, number of axes; at most N and d.

    Returns:
        `torch.Tensor` of shape `(d, r)`: orthonormal, float32, on the CPU; those with the largest eigenvalues first.

    Raises:
        ValueError: `dimensions` is more than N or d.
    """
    if not 1 <= dimensions <= min(vectors.shape):
        raise ValueError(
            f"`dimensions` must be from 1 to {min(vectors.shape)}, N and d of `vectors`, got {dimensions}"
        )
    rows = directions(vectors, "vectors").double()
    axes = torch.linalg.eigh(rows.T @ rows).eigenvectors.flip(1)[:, :dimensions]
    # An axis may point either way. Its largest entry is made positive, so that the same photos give the same axes.
    largest = axes.gather(0, axes.abs().argmax(dim=0, keepdim=True))  # (1, r)
    return (axes * largest.sign()).float()


def compress(vectors: Tensor, axes: Tensor | None, name: str) -> Tensor:
    """Return the coordinates of vectors along axes, c = Aᵀx / |Aᵀx|, of length 1: (N, d) -> (N, r).

    Args:
        vectors (`torch.Tensor` of shape `(N, d)`): floating point, of any length but 0.
        axes (`torch.Tensor` of shape `(d, r)`, *optional*): A, orthonormal. Default: vectors stay whole, r = d.
        name (`str`): name of the vectors in the error.

    Raises:
        ValueError: a vector, or what is left of it along the axes, has no direction.
    """
    whole = directions(vectors, name)
    return whole if axes is None else directions(whole @ axes, f"{name} along the gallery's axes")


def reduce_queries(queries: Tensor, axes: Tensor | None) -> Tensor:
    """Return queries for compressed vectors, Aᵀq: their products with these are cosines, (Q, d) -> (Q, r).

    Args:
        queries (`torch.Tensor` of shape `(Q, d)`): of length 1.
        axes (`torch.Tensor` of shape `(d, r)`, *optional*): as in [`compress`].
    """
    return queries if axes is None else _product(queries, axes)


def restore(compressed: Tensor, axes: Tensor | None) -> Tensor:
    """Return compressed vectors in the model's dimensions, Ac: (N, r) -> (N, d).

    Args:
        compressed (`torch.Tensor` of shape `(N, r)`): of length 1.
        axes (`torch.Tensor` of shape `(d, r)`, *optional*): as in [`compress`].
    """
    return compressed if axes is None else _product(compressed, axes.T)


def _product(rows: Tensor, matrix: Tensor) -> Tensor:
    # In float64, because the last bits of float32 depend on the number of rows, and a query is the same in a batch.
    return (rows.double() @ matrix.double()).float()


def directions(vectors: Tensor, name: str) -> Tensor:
    """Normalise the rows of a tensor to length 1, float32 on the CPU.

    Args:
        vectors (`torch.Tensor` of shape `(N, d)`): floating point.
        name (`str`): name of the tensor in the error.

    Raises:
        ValueError: a row is not finite or all zeros, and so has no direction.
    """
    lengths = vectors.float().norm(dim=-1)
    wrong = (~lengths.isfinite() | (lengths == 0)).nonzero().flatten().tolist()
    if wrong:
        raise ValueError(f"`{name}` must be finite and not zero, row {wrong[0]} has length {lengths[wrong[0]]}")
    return unit_rows(vectors.detach().float()).cpu()
