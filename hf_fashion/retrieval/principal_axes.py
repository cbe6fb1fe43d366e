"""The few axes along which the vectors of a space lie, for galleries that keep no more of them."""

from __future__ import annotations

import torch
from torch import Tensor
from tqdm.auto import tqdm

from .catalogue import Catalogue
from .embedded_batches import embedded_batches, in_batches
from .photo_embedder import PhotoEmbedder
from .space import directions


# Photos that axes are learnt from: what benchmarks/gallery_storage.py was measured with.
SAMPLED_PHOTOS = 5000


def principal_axes(vectors: Tensor, dimensions: int) -> Tensor:
    """The axes through the origin that vectors of length 1 lie closest to: eigenvectors of XᵀX.

    Args:
        vectors (`torch.Tensor` of shape `(N, d)`): any length but 0.
        dimensions (`int`): r, how many axes; at most N and d.

    Returns:
        `torch.Tensor` of shape `(d, r)`: orthonormal, float32, on the CPU; the one with the largest shares first.

    Raises:
        ValueError: there are fewer vectors, or dimensions of them, than axes are asked for.
    """
    if not 1 <= dimensions <= min(vectors.shape):
        raise ValueError(
            f"`dimensions` must be from 1 to {min(vectors.shape)}, N and d of `vectors`, got {dimensions}"
        )
    rows = directions(vectors, "vectors").double()
    axes = torch.linalg.eigh(rows.T @ rows).eigenvectors.flip(1)[:, :dimensions]
    # An axis may point either way: its largest entry shall be positive, so that the same photos give the same axes.
    largest = axes.gather(0, axes.abs().argmax(dim=0, keepdim=True))  # (1, r)
    return (axes * largest.sign()).float()


def learn_axes(
    embedder: PhotoEmbedder, catalogue: Catalogue, dimensions: int, batch_size: int, progress: bool
) -> dict[str, Tensor]:
    """The principal axes of every space, from `SAMPLED_PHOTOS` that are spread evenly over a catalogue.

    Args:
        embedder (`PhotoEmbedder`): of the gallery's model.
        catalogue (`Catalogue`): the products.
        dimensions (`int`): how many axes.
        batch_size (`int`): photos a forward pass.
        progress (`bool`): whether to show a bar.

    Returns:
        `dict[str, torch.Tensor]`: for each space (d, r).

    Raises:
        ValueError: the catalogue has fewer photos than `dimensions`, or a photo cannot be read.
    """
    if len(catalogue) < dimensions:
        raise ValueError(
            f"`dimensions` must be at most the number of photos that the axes are learnt from, {len(catalogue)}, got "
            f"{dimensions}. Leave it away: so small a gallery needs no compression"
        )
    number = min(SAMPLED_PHOTOS, len(catalogue))
    rows = [place * len(catalogue) // number for place in range(number)]
    batches = in_batches(rows, batch_size)
    parts: list[dict[str, Tensor]] = []
    with tqdm(total=number, desc="learning axes", unit="photo", disable=not progress) as bar:
        for vectors in embedded_batches(embedder, catalogue, batches):
            bar.update(len(batches[len(parts)]))
            parts.append(vectors)
    return {space: principal_axes(torch.cat([part[space] for part in parts]), dimensions) for space in parts[0]}
