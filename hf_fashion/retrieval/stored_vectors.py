"""Vectors as a gallery's table keeps them, searched without ever holding them in float32."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


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
