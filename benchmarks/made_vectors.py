"""Make vectors that are distributed like embeddings, and the most similar ones of each query.

Each of `products` / 500 clusters has a Gaussian centre, and its members scatter around it with 0.7 of the centres'
spread. The standard deviation of the n-th of d dimensions is n^-0.5, so that few carry most, as in embeddings; a
random rotation hides which. Queries are drawn like products.
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch.nn.functional import normalize


DIMENSION = 512
CHUNK = 50_000
TOP_K = 10
FILTER = 3  # the last digit of rows that match the filter


def drawn(dimension: int, products: int, seed: int) -> Callable[[int], torch.Tensor]:
    """Return a function that draws N vectors (N, d) of length 1.

    Args:
        dimension (`int`): d.
        products (`int`): size of the gallery, which decides the number of clusters.
        seed (`int`): of centres and draws.
    """
    generator = torch.Generator().manual_seed(seed)
    spread = torch.arange(1, dimension + 1) ** -0.5
    rotation = torch.linalg.qr(torch.randn(dimension, dimension, generator=generator))[0]
    centres = torch.randn(max(products // 500, 10), dimension, generator=generator)

    def draw(number: int) -> torch.Tensor:
        members = centres[torch.randint(len(centres), (number,), generator=generator)]
        members = members + 0.7 * torch.randn(number, dimension, generator=generator)
        return normalize(members * spread @ rotation, dim=-1)

    return draw


def make_vectors(folder: Path, products: int, queries: int) -> None:
    """Write `vectors.npy` (float16), `queries.npy`, and the ten most similar rows of each query: `all.npy` of all
    rows, `filtered.npy` of the rows that match a filter."""
    draw = drawn(DIMENSION, products, 0)
    asked = draw(queries)
    folder.mkdir(parents=True)
    vectors = np.lib.format.open_memmap(folder / "vectors.npy", "w+", np.float16, (products, DIMENSION))
    nearest = {"all": [], "filtered": []}
    for start in range(0, products, CHUNK):
        part = draw(min(CHUNK, products - start)).half()
        vectors[start : start + len(part)] = part.numpy()
        rows = torch.arange(start, start + len(part))
        scores = asked @ normalize(part.float(), dim=-1).T
        for name, chosen in {"all": rows >= 0, "filtered": rows % 10 == FILTER}.items():
            best = scores[:, chosen].topk(TOP_K)
            nearest[name].append((best.values, rows[chosen][best.indices]))
    for name, parts in nearest.items():
        values, rows = (torch.cat(part, dim=1) for part in zip(*parts, strict=True))
        np.save(folder / f"{name}.npy", rows.gather(1, values.topk(TOP_K).indices).numpy())
    np.save(folder / "queries.npy", asked.numpy())
