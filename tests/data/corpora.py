"""Tiny corpora for the tests of this folder."""

import io

import numpy as np
from datasets import Dataset, Features, Image, Value
from PIL import Image as PILImage


def jpeg(seed: int, size: tuple[int, int] = (12, 16)) -> bytes:
    """The bytes of a small JPEG; another seed, another photo."""
    pixels = np.random.default_rng(seed).integers(0, 255, (size[1], size[0], 3), dtype=np.uint8)
    buffer = io.BytesIO()
    PILImage.fromarray(pixels).save(buffer, format="JPEG")
    return buffer.getvalue()


def products(count: int, first: int = 0) -> Dataset:
    """`count` products with an image, a title, a brand and an id; numbered from `first`."""
    numbers = range(first, first + count)
    columns = {
        "image": [{"bytes": jpeg(number), "path": None} for number in numbers],
        "title": [f"Shirt number {number}" for number in numbers],
        "brand": [("Lumaro", "Halvick", None)[number % 3] for number in numbers],
        "id": [f"p{number:03d}" for number in numbers],
    }
    features = Features({name: Image() if name == "image" else Value("string") for name in columns})
    return Dataset.from_dict(columns, features=features)
