"""Galleries to save and load, with metadata of every kind, and what is in them."""

import datetime
from pathlib import Path

import pyarrow as pa
import torch

from hf_fashion.retrieval.gallery import Gallery
from hf_fashion.retrieval.schema import GallerySchema
from hf_fashion.retrieval.stores.lance.store import LanceStore


COUNT = 23
SPACES = {"image": 8, "sleeve length": 5}
METADATA = pa.schema(
    [
        ("brand", pa.string()),
        ("sizes", pa.list_(pa.string())),
        ("sub-category", pa.large_string()),
        ("price", pa.float32()),
        ("stock", pa.uint8()),
        ("sold", pa.bool_()),
        ("added", pa.timestamp("s", "Europe/Berlin")),  # parquet has no seconds
        ("day", pa.date32()),
        ("scores", pa.list_(pa.float16())),
    ]
)
ATTACHMENTS = {"axes of 'image'": bytes(range(256)), "empty": b""}
DAY = datetime.date(2026, 2, 28)


def made(uri, names: list[str], attachments=None, fingerprint="Model-1", metadata: pa.Schema = METADATA) -> Gallery:
    """A gallery whose products are made of their ids, every third without metadata."""
    schema = GallerySchema(SPACES, metadata, fingerprint)
    gallery = Gallery(LanceStore.create(str(uri), schema.to_table(), attachments))
    numbers = [int(name.removeprefix("p")) for name in names]
    values = {
        "brand": "Lumaro's „Größe“",
        "sizes": ["S", None, "XL"],
        "sub-category": "coat",
        "price": 0.1,
        "stock": 255,
        "sold": False,
        "added": datetime.datetime(2026, 2, 28, 23, 59, 59),
        "day": DAY,
        "scores": [0.5, None],
    }
    vectors = {space: [torch.sin(torch.arange(1, d + 1) * (n + 1)) for n in numbers] for space, d in SPACES.items()}
    gallery.add(
        names,
        {space: torch.stack(rows) for space, rows in vectors.items()},
        {name: [None if number % 3 == 0 else values[name] for number in numbers] for name in metadata.names},
    )
    return gallery


def rows(gallery: Gallery) -> pa.Table:
    """All that the store keeps, by id."""
    return gallery._store.read(gallery._store.schema.names).sort_by("id")


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
