"""Small galleries with the models that embedded them, and the plain search that the pipeline is compared with."""

from typing import Any

import pyarrow as pa
import torch
from PIL import Image
from torch.nn.functional import normalize
from transformers import PreTrainedModel

from hf_fashion.embedding.encoder import Encoder
from hf_fashion.embedding.fingerprint import model_fingerprint
from hf_fashion.retrieval.gallery import Gallery
from tests.tiny_attribute import tiny_photos
from tests.tiny_e2 import tiny_images, tiny_model, tiny_processor


COUNT = 24
METADATA = pa.schema([("style", pa.string()), ("price", pa.float64()), ("sizes", pa.list_(pa.string()))])


def photos(model: PreTrainedModel) -> list[Image.Image]:
    if hasattr(model.config, "attribute_names"):
        return [photo for seed in range(COUNT // 3) for photo in tiny_photos(seed)]
    return tiny_images(COUNT)


def embedded_gallery(uri, model: PreTrainedModel, processor, regions: bool = False) -> Gallery:
    """`COUNT` products: four photos of each style, and the last two of no style."""
    encoder = Encoder(model, processor, regions=regions)
    vectors = encoder.embed_photos(encoder.prepare_photos(photos(model)))
    dimensions = {space: rows.shape[1] for space, rows in vectors.items()}
    gallery = Gallery.create(uri, dimensions, METADATA, model_fingerprint(model))
    metadata = {
        "style": [f"s{number // 4}" if number < COUNT - 2 else None for number in range(COUNT)],
        "price": [float(number) for number in range(COUNT)],
        "sizes": [["S", "M"]] * COUNT,
    }
    gallery.add([f"p{number:02d}" for number in range(COUNT)], vectors, metadata)
    return gallery


def photo_embeds(images: list[Image.Image]) -> torch.Tensor:
    """By the tiny E2: (B, d), of length 1."""
    inputs = tiny_processor()(images=images, return_tensors="pt")
    with torch.no_grad():
        return normalize(tiny_model().get_image_features(**inputs).pooler_output, dim=-1)


def text_embeds(texts: list[str]) -> torch.Tensor:
    """By the tiny E2: (B, d), of length 1."""
    inputs = tiny_processor()(text=texts, return_tensors="pt", padding=True)
    with torch.no_grad():
        return normalize(tiny_model().get_text_features(**inputs).pooler_output, dim=-1)


def by_hand(gallery: Gallery, query: torch.Tensor, space: str = "image") -> tuple[list[str], torch.Tensor]:
    """All ids, the best first, and their cosines with the query (d,)."""
    ids = sorted(gallery.ids())
    scores, order = (gallery.vectors(ids, space) @ normalize(query, dim=-1)).sort(descending=True, stable=True)
    return [ids[place] for place in order.tolist()], scores


def ids_of(results: list[dict[str, Any]]) -> list[str]:
    return [result["id"] for result in results]
