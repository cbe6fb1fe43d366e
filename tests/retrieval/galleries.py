"""Small galleries, and the plain loop that searching them is compared with."""

import pyarrow as pa
import torch
from torch.nn.functional import normalize

from hf_fashion.retrieval.gallery import Gallery
from hf_fashion.retrieval.projection import principal_axes


SPACES = {"neckline": 8, "sleeve length": 5}
METADATA = pa.schema([("brand", pa.string()), ("price", pa.float64()), ("sub-category", pa.string())])


def ids(count: int, first: int = 0) -> list[str]:
    return [f"p{number:03d}" for number in range(first, first + count)]


def vectors(count: int, seed: int = 0) -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return {space: torch.randn(count, dimension, generator=generator) for space, dimension in SPACES.items()}


def metadata(count: int) -> dict[str, list]:
    return {
        "brand": [("Lumaro", "Halvick", None)[number % 3] for number in range(count)],
        "price": [float(number) for number in range(count)],
        "sub-category": ["coat" if number % 2 else "dress" for number in range(count)],
    }


def filled(uri, count: int = 40, axes: int | None = None) -> Gallery:
    """A gallery of whole vectors, or of their shares along that many axes."""
    known = {} if axes is None else {space: principal_axes(rows, axes) for space, rows in vectors(count).items()}
    gallery = Gallery.create(uri, SPACES, METADATA, fingerprint="Model-1", axes=known)
    gallery.add(ids(count), vectors(count), metadata(count))
    return gallery


def brute_force(gallery: Gallery, query: torch.Tensor, space: str, top_k: int, allowed: list[str]) -> list[str]:
    """Ids by descending cosine with what is stored, of equal ones by id."""
    query = normalize(query.double(), dim=0)
    stored = zip(allowed, gallery.vectors(allowed, space).double(), strict=True)
    scored = [(-round(float(query @ vector), 5), name) for name, vector in stored]
    return [name for _, name in sorted(scored)[:top_k]]
