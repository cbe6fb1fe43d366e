"""What a photo with its change is searched by: vectors in one space or several, with weights."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True, eq=False)
class Part:
    """A part of a changed query's score, `weight * cosine(vector, product)` in a space.

    Args:
        space (`str`): `"image"` or a tag entity.
        vector (`torch.Tensor` of shape `(d,)`): of length 1.
        weight (`float`): above 0; those of all parts add up to 1.
    """

    space: str
    vector: Tensor
    weight: float


@dataclass(frozen=True, eq=False)
class ChangedQuery:
    """A photo with its change, as it is searched: products are scored by the sum of the parts.

    Args:
        vector (`torch.Tensor` of shape `(d,)`): in the space `"image"`, of length 1; for re-rankers.
        parts (`tuple[Part, ...]`): at least one.
    """

    vector: Tensor
    parts: tuple[Part, ...]

    @classmethod
    def of_image(cls, vector: Tensor) -> ChangedQuery:
        """Return a query of one part, in the space `"image"`.

        Args:
            vector (`torch.Tensor` of shape `(d,)`): of length 1.
        """
        return cls(vector, (Part("image", vector, 1.0),))

    @classmethod
    def of_scaled(cls, vectors: Tensor, spaces: Sequence[str], image: Tensor) -> ChangedQuery:
        """Return a query of vectors whose lengths are their weights.

        Args:
            vectors (`torch.Tensor` of shape `(S, d)`): one for each space; a space with zeros takes no part.
            spaces (`Sequence[str]`): S spaces.
            image (`torch.Tensor` of shape `(d,)`): `vector` of the query, where `"image"` takes no part.
        """
        lengths = vectors.norm(dim=-1)
        parts = tuple(
            Part(space, vector / length, float(length / lengths.sum()))
            for space, vector, length in zip(spaces, vectors, lengths, strict=True)
            if length > 0
        )
        return cls(next((part.vector for part in parts if part.space == "image"), image), parts)

    def scaled(self, spaces: Sequence[str]) -> Tensor:
        """Return the parts as vectors whose lengths are their weights: (S, d), zeros where a space takes no part.

        Args:
            spaces (`Sequence[str]`): S spaces, those of the parts among them.
        """
        vectors = torch.zeros(len(spaces), len(self.vector))
        for part in self.parts:
            vectors[spaces.index(part.space)] += part.weight * part.vector
        return vectors
