"""Photos that are labelled with an attribute that the tiny models lack."""

import numpy as np
from datasets import Dataset, Features, Value
from datasets import Image as ImageFeature
from PIL import Image

from tests.tiny_attribute import IMAGE_SIZE


NAME = "heel height"


def shoes(labels=("flat", "high") * 5, column: str = NAME) -> Dataset:
    """Photos with a bright bar at the bottom (flat) or at the left (high), and noise."""
    generator, photos = np.random.default_rng(0), []
    for label in labels:
        pixels = generator.integers(0, 120, (IMAGE_SIZE, IMAGE_SIZE, 3), dtype=np.uint8)
        pixels[(slice(40, None), slice(None)) if label == "flat" else (slice(None), slice(0, 24))] += 120
        photos.append(Image.fromarray(pixels))
    features = Features({"image": ImageFeature(), column: Value("string")})
    return Dataset.from_dict({"image": photos, column: list(labels)}, features=features)
