"""Attribute-specific models small enough to run anywhere in milliseconds, and photos for them."""

from typing import Any

import numpy as np
import torch
from PIL import Image
from transformers import ResNetConfig, set_seed

from hf_fashion.models.attribute.configuration_asen import AsenConfig
from hf_fashion.models.attribute.image_processing_attribute import AttributeImageProcessorPil
from hf_fashion.models.attribute.modeling_asen import AsenModel


ATTRIBUTE_NAMES = ["neckline", "sleeve_length", "pattern"]
ATTRIBUTE_VALUES = {
    "neckline": ["v", "round"],
    "sleeve_length": ["short", "long"],
    "pattern": ["plain", "dots", "stripes"],
}
IMAGE_SIZE = 64
LOCAL_IMAGE_SIZE = 32
EMBEDDING_DIM = 10


def tiny_backbone_config(**kwargs) -> ResNetConfig:
    """Return a ResNet of four stages, of which the third gives the map: 4x4 at 64 pixels."""
    sizes = {"embedding_size": 4, "hidden_sizes": [4, 8, 12, 16], "depths": [1, 1, 1, 1], "layer_type": "basic"}
    return ResNetConfig(**(sizes | {"out_features": ["stage3"]} | kwargs))


def tiny_fields(**kwargs) -> dict[str, Any]:
    """Return the fields of a tiny configuration that all attribute-specific models have."""
    fields = {
        "attribute_names": ATTRIBUTE_NAMES,
        "attribute_values": ATTRIBUTE_VALUES,
        "backbone_config": tiny_backbone_config(),
        "image_size": IMAGE_SIZE,
        "attention_dim": 8,
        "attribute_dim": 6,
        "embedding_dim": EMBEDDING_DIM,
    }
    return fields | kwargs


def tiny_asen_config(local: bool = False, **kwargs) -> AsenConfig:
    """Return ASEN's configuration, or ASEN++'s with `local=True`."""
    fields = tiny_fields(local_image_size=LOCAL_IMAGE_SIZE, local_attention_dim=7)
    if local:
        fields["local_backbone_config"] = tiny_backbone_config(hidden_sizes=[4, 6, 8, 16])
    return AsenConfig(**(fields | kwargs))


def tiny_asen(local: bool = False, seed: int = 0, **kwargs) -> AsenModel:
    set_seed(seed)
    return AsenModel(tiny_asen_config(local, **kwargs)).eval()


def tiny_image_processor(**kwargs) -> AttributeImageProcessorPil:
    sizes = {"size": {"shortest_edge": IMAGE_SIZE}, "crop_size": {"height": IMAGE_SIZE, "width": IMAGE_SIZE}}
    return AttributeImageProcessorPil(**(sizes | kwargs))


def tiny_photos(seed: int = 0) -> list[Image.Image]:
    """Return a tall, a wide and a square photo: soft blobs, so that scaling keeps something to see."""
    generator = np.random.default_rng(seed)
    photos = []
    for width, height in ((70, 100), (120, 80), (90, 90)):
        blobs = Image.fromarray(generator.integers(0, 256, (5, 5, 3), dtype=np.uint8))
        photos.append(blobs.resize((width, height), Image.Resampling.BICUBIC))
    return photos


def tiny_photo_inputs() -> dict[str, torch.Tensor]:
    """Return `pixel_values`, `source_pixel_values` and `source_sizes` of the photos."""
    return dict(tiny_image_processor()(tiny_photos(), do_source=True, return_tensors="pt"))
