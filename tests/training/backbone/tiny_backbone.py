"""A tiny classifier of two attributes, and labelled photos for it."""

from pathlib import Path

import torch
from transformers import ResNetConfig, ResNetForImageClassification

from hf_fashion.data.loading import load_corpus
from hf_fashion.data.photo_cache import PhotoCache
from hf_fashion.training.attribute.build import square_processor
from hf_fashion.training.backbone.photos import LabelledPhotos
from tests.scripts.tiny_run import tiny_corpus


NAMES, NUM_VALUES = ["colour", "brand"], [4, 2]
# Not fewer than 8 channels, see tests/scripts/tiny_attribute_run.py.
BACKBONE = {"embedding_size": 8, "hidden_sizes": [8, 16], "depths": [1, 1], "layer_type": "basic"}


def tiny_photos(folder: Path) -> LabelledPhotos:
    """Return photos with four colours and two brands; every third brand is unknown."""
    train = load_corpus(str(tiny_corpus(folder)))["train"]
    value_ids = torch.tensor([[row % 4, -1 if row % 3 == 0 else row % 2] for row in range(len(train))])
    return LabelledPhotos(PhotoCache.build(train, "image", square_processor(16), folder), value_ids)


def tiny_classifier() -> ResNetForImageClassification:
    """Return an untrained ResNet that classifies both attributes."""
    torch.manual_seed(0)
    return ResNetForImageClassification(ResNetConfig(**BACKBONE, num_labels=sum(NUM_VALUES))).eval()
