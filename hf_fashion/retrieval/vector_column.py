"""The vectors of one space as a gallery's table keeps them: unit length, float16, whole or along fewer axes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import torch
from torch import Tensor

from ..losses.cosine import unit_rows


# Brought to float32 so many at a time, they stay in the processor's cache: as fast as a product with float32 vectors,
# which take twice the memory.
ROWS_AT_ONCE = 2048


@dataclass(frozen=True, eq=False)
class StoredVectors:
    """N directions in r dimensions.

    Args:
        half (`torch.Tensor` of shape `(N, r)`): float16, of a length near 1.
        lengths (`torch.Tensor` of shape `(N,)`): their lengths, which rounding to float16 has changed; float32.
    """

    half: Tensor
    lengths: Tensor

    def __len__(self) -> int:
        return len(self.half)

    def __getitem__(self, rows: Tensor) -> StoredVectors:
        """Some of them, by an int64 tensor (M,)."""
        return StoredVectors(self.half[rows], self.lengths[rows])

    def directions(self) -> Tensor:
        """All of them (N, r), of length 1, float32."""
        return self.half.float() / self.lengths[:, None]

    def cosines(self, queries: Tensor) -> Tensor:
        """The products of queries (Q, r), float32, with all directions: (Q, N)."""
        scores = torch.empty(len(queries), len(self))
        # One buffer: memory that is asked for and given back with every part costs more than the product.
        buffer = torch.empty(min(ROWS_AT_ONCE, len(self)), self.half.shape[1])
        for start in range(0, len(self), ROWS_AT_ONCE):
            rows = slice(start, start + ROWS_AT_ONCE)
            half = self.half[rows]
            scores[:, rows] = queries @ buffer[: len(half)].copy_(half).T
        return scores.div_(self.lengths)

    def paired_cosines(self, queries: Tensor) -> Tensor:
        """The product of query i (N, r), float32, with direction i: (N,)."""
        return torch.einsum("nd,nd->n", queries, self.half.float()) / self.lengths


@dataclass(frozen=True, eq=False)
class Space:
    """One vector of every product, and the column that keeps it.

    With axes A (d, r) a vector x is kept as its r shares c = Aᵀx / |Aᵀx|, so that a query q of length 1 has the
    cosine q · Ac = Aᵀq · c with what is kept: queries are reduced too, and nothing of a product is ever restored for
    a search.

    Args:
        name (`str`): the space.
        column (`str`): its column in the table.
        dimension (`int`): d, of the model's vectors.
        axes (`torch.Tensor` of shape `(d, r)`, *optional*): float32, orthonormal; without, vectors are kept whole.

    Raises:
        ValueError: the axes are not as above.
    """

    name: str
    column: str
    dimension: int
    axes: Tensor | None = None

    def __post_init__(self):
        axes = self.axes
        if axes is None:
            return
        fit = axes.ndim == 2 and 1 <= axes.shape[1] <= axes.shape[0] == self.dimension
        if not fit or not torch.allclose(axes.T @ axes, torch.eye(axes.shape[1]), atol=1e-3):
            raise ValueError(
                f"`axes[{self.name!r}]` must be orthonormal columns of shape ({self.dimension}, r), r at most "
                f"{self.dimension}, got {tuple(axes.shape)}. `principal_axes` makes such ones"
            )

    def to_column(self, vectors: Tensor, number: int) -> pa.Array:
        """Vectors (N, d) of any length but 0 as the column keeps them.

        Raises:
            ValueError: there are not `number` of them or they have another dimension, or one has no direction.
        """
        title = f"vectors[{self.name!r}]"
        if tuple(vectors.shape) != (number, self.dimension):
            raise ValueError(f"`{title}` must have shape {(number, self.dimension)}, got {tuple(vectors.shape)}")
        kept = directions(vectors, title)
        if self.axes is not None:
            kept = directions(kept @ self.axes, f"{title} along the gallery's axes")
        return pa.FixedSizeListArray.from_arrays(pa.array(kept.half().flatten().numpy()), kept.shape[1])

    def from_column(self, column: pa.ChunkedArray) -> StoredVectors:
        """What is kept, N vectors of r dimensions.

        Raises:
            ValueError: the length of one is far from 1, so that it is not what was stored.
        """
        width = column.type.list_size
        chunks = [chunk.flatten().to_numpy().reshape(-1, width) for chunk in column.chunks]
        # A store may keep the same numbers in float32.
        half = np.concatenate([np.empty((0, width), np.float16), *chunks], dtype=np.float16, casting="same_kind")
        lengths = np.concatenate(
            [_lengths(half[at : at + ROWS_AT_ONCE]) for at in range(0, len(half) + 1, ROWS_AT_ONCE)]
        )
        if not (np.abs(lengths - 1) < 0.01).all():  # NaN neither
            raise ValueError(f"vectors that were stored with length 1 have another length (space {self.name!r})")
        return StoredVectors(torch.from_numpy(half), torch.from_numpy(lengths))

    def reduced(self, queries: Tensor) -> Tensor:
        """Queries (Q, d) -> (Q, r), whose products with what is kept are the cosines of the queries."""
        return queries if self.axes is None else queries @ self.axes

    def restored(self, kept: Tensor) -> Tensor:
        """Directions (N, r) that are kept -> (N, d), of length 1."""
        return kept if self.axes is None else kept @ self.axes.T


def _lengths(half: np.ndarray) -> np.ndarray:
    """Not by torch: for few rows, waking its threads beside the store's costs as much as half of a search."""
    rows = half.astype(np.float32)
    return np.sqrt(np.einsum("nd,nd->n", rows, rows))


def directions(vectors: Tensor, name: str) -> Tensor:
    """The rows of `vectors` (N, d) with length 1, float32 on the CPU.

    Raises:
        ValueError: a row is not finite or all zeros, and so has no direction; the error calls the tensor `name`.
    """
    lengths = vectors.float().norm(dim=-1)
    wrong = (~lengths.isfinite() | (lengths == 0)).nonzero().flatten().tolist()
    if wrong:
        raise ValueError(f"`{name}` must be finite and not zero, row {wrong[0]} has length {lengths[wrong[0]]}")
    return unit_rows(vectors.detach().float()).cpu()
