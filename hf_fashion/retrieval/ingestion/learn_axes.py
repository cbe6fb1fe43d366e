"""Learns the principal axes of a gallery's spaces from a sample of its photos."""

from __future__ import annotations

import torch
from torch import Tensor
from tqdm.auto import tqdm

from ...embedding.encoder import Encoder
from ..projection import principal_axes
from .catalogue import Catalogue
from .prefetch import embedded_batches, in_batches


# As many as in benchmarks/gallery_storage.py.
SAMPLED_PHOTOS = 5000


def learn_axes(
    encoder: Encoder, catalogue: Catalogue, dimensions: int, batch_size: int, progress: bool
) -> dict[str, Tensor]:
    """Compute the principal axes of every space from `SAMPLED_PHOTOS` photos, spread evenly over a catalogue.

    Args:
        encoder ([`Encoder`]): of the gallery's model.
        catalogue (`Catalogue`): the products.
        dimensions (`int`): number of axes.
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
            f"{dimensions}. Leave it out: a gallery this small needs no compression"
        )
    number = min(SAMPLED_PHOTOS, len(catalogue))
    rows = [place * len(catalogue) // number for place in range(number)]
    batches = in_batches(rows, batch_size)
    parts: list[dict[str, Tensor]] = []
    with tqdm(total=number, desc="learning axes", unit="photo", disable=not progress) as bar:
        for batch in embedded_batches(encoder, catalogue, batches):
            bar.update(len(batches[len(parts)]))
            parts.append(batch.vectors)
    return {space: principal_axes(torch.cat([part[space] for part in parts]), dimensions) for space in parts[0]}
