"""Vectors of one space in a gallery's table: unit length, float16, whole or along fewer axes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import torch
from torch import Tensor

from .projection import compress, reduce_queries, restore


# Vectors that are brought to float32 at a time. They stay in the processor's cache, so a product is as fast as with
# float32 vectors, which take twice the memory.
ROWS_AT_ONCE = 2048


@dataclass(frozen=True, eq=False)
class StoredVectors:
    """N directions in r dimensions.

    Args:
        half (`torch.Tensor` of shape `(N, r)`): float16, lengths near 1.
        lengths (`torch.Tensor` of shape `(N,)`): float32, their lengths, which rounding to float16 has changed.
    """

    half: Tensor
    lengths: Tensor

    def __len__(self) -> int:
        return len(self.half)

    def __getitem__(self, rows: Tensor) -> StoredVectors:
        """Return some of the vectors.

        Args:
            rows (`torch.Tensor` of shape `(M,)`): int64, rows of the vectors.
        """
        return StoredVectors(self.half[rows], self.lengths[rows])

    def directions(self) -> Tensor:
        """Return all vectors (N, r), of length 1, float32."""
        return self.half.float() / self.lengths[:, None]

    def cosines(self, queries: Tensor) -> Tensor:
        """Return the cosine of every query with every vector, (Q, N), in the float type of the queries.

        In float32 the last bits depend on Q and on the vector's place.

        Args:
            queries (`torch.Tensor` of shape `(Q, r)`): float32 or float64, of length 1.
        """
        scores = queries.new_empty(len(queries), len(self))
        # One buffer: allocating memory for every part costs more than the product.
        buffer = queries.new_empty(min(ROWS_AT_ONCE, len(self)), self.half.shape[1])
        for start in range(0, len(self), ROWS_AT_ONCE):
            rows = slice(start, start + ROWS_AT_ONCE)
            half = self.half[rows]
            scores[:, rows] = queries @ buffer[: len(half)].copy_(half).T
        return scores.div_(self.lengths)

    def cosines_with(self, query: Tensor) -> Tensor:
        """Return the cosine of one query with every vector, (N,), float64.

        Args:
            query (`torch.Tensor` of shape `(r,)`): float64, of length 1.
        """
        # By way of float32, which is faster. Few vectors at once: unlike `cosines`, it copies all of them.
        return (self.half.float().double() @ query).div_(self.lengths)

    def paired_cosines(self, queries: Tensor) -> Tensor:
        """Return the cosine of query i with vector i, (N,).

        Args:
            queries (`torch.Tensor` of shape `(N, r)`): float32, of length 1.
        """
        # In float64, because the last bits of float32 depend on N, and equal vectors must get equal scores.
        return (torch.einsum("nd,nd->n", queries.double(), self.half.double()) / self.lengths).float()


@dataclass(frozen=True, eq=False)
class Space:
    """A space: one vector of every product, and the column that stores it.

    With axes A (d, r) a vector x is stored as its r coordinates c = Aᵀx / |Aᵀx|. A query q of length 1 has the cosine
    q · Ac = Aᵀq · c with it, so queries are reduced too, and no vector is restored for a search.

    Args:
        name (`str`): name of the space.
        column (`str`): its column in the table.
        dimension (`int`): d, dimension of the model's embeddings.
        axes (`torch.Tensor` of shape `(d, r)`, *optional*): float32, orthonormal. Default: vectors are stored whole.

    Raises:
        ValueError: axes are not as above.
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
                f"{self.dimension}, got {tuple(axes.shape)}. `principal_axes` returns such axes"
            )

    def to_column(self, vectors: Tensor, number: int) -> pa.Array:
        """Return vectors as values of the column.

        Args:
            vectors (`torch.Tensor` of shape `(N, d)`): floating point, of any length but 0.
            number (`int`): the N that is expected.

        Raises:
            ValueError: `vectors` has another shape, or a vector has no direction.
        """
        title = f"vectors[{self.name!r}]"
        if tuple(vectors.shape) != (number, self.dimension):
            raise ValueError(f"`{title}` must have shape {(number, self.dimension)}, got {tuple(vectors.shape)}")
        kept = compress(vectors, self.axes, title)
        return pa.FixedSizeListArray.from_arrays(pa.array(kept.half().flatten().numpy()), kept.shape[1])

    def from_column(self, column: pa.ChunkedArray) -> StoredVectors:
        """Return the vectors of the column.

        Args:
            column (`pyarrow.ChunkedArray`): N values of the column.

        Raises:
            ValueError: the length of a vector is far from 1, so it is damaged.
        """
        width = column.type.list_size
        chunks = [chunk.flatten().to_numpy().reshape(-1, width) for chunk in column.chunks]
        # A store may keep the same numbers in float32.
        half = np.concatenate([np.empty((0, width), np.float16), *chunks], dtype=np.float16, casting="same_kind")
        lengths = np.concatenate(
            [_lengths(half[at : at + ROWS_AT_ONCE]) for at in range(0, len(half) + 1, ROWS_AT_ONCE)]
        )
        if not (np.abs(lengths - 1) < 0.01).all():  # NaN fails this too
            raise ValueError(f"vectors that were stored with length 1 have another length (space {self.name!r})")
        return StoredVectors(torch.from_numpy(half), torch.from_numpy(lengths))

    def reduced(self, queries: Tensor) -> Tensor:
        """Reduce queries to the stored dimensions, (Q, d) -> (Q, r).

        Args:
            queries (`torch.Tensor` of shape `(Q, d)`): of length 1.
        """
        return reduce_queries(queries, self.axes)

    def restored(self, kept: Tensor) -> Tensor:
        """Restore stored vectors to the model's dimensions, (N, r) -> (N, d).

        Args:
            kept (`torch.Tensor` of shape `(N, r)`): of length 1.
        """
        return restore(kept, self.axes)


def _lengths(half: np.ndarray) -> np.ndarray:
    """Return lengths of rows, computed in float64, so that equal rows have equal lengths.

    Not by torch: for few rows, waking its threads next to the store's costs as much as half of a search.
    """
    rows = half.astype(np.float64)
    return np.sqrt(np.einsum("nd,nd->n", rows, rows)).astype(np.float32)
