"""A step of pretraining: the cross-entropy of the model's logits, in two processes as in one."""

import torch
from transformers import ViTConfig

from hf_fashion.losses.attribute_cross_entropy import attribute_cross_entropy
from hf_fashion.training.attribute.build import square_processor
from hf_fashion.training.backbone.build import PatchMeanClassifier
from hf_fashion.training.backbone.photos import ClassifierCollator
from hf_fashion.training.backbone.step import BackboneStep
from tests.scripts.tiny_attribute_run import VIT
from tests.training.backbone.tiny_backbone import NUM_VALUES, tiny_classifier, tiny_photos
from tests.training.two_halves import require_as_one


VALUE_IDS = torch.tensor([[0, -1], [-1, -1], [3, 1], [1, 0]])  # the first half has few labels


def test_the_loss_is_that_of_the_logits(tmp_path):
    photos = tiny_photos(tmp_path)
    batch = ClassifierCollator(square_processor(16))([photos[row] for row in range(6)])
    model = tiny_classifier()
    logits = model(batch["pixel_values"]).logits
    found = BackboneStep(NUM_VALUES)(model, model, batch)["loss"]
    torch.testing.assert_close(found, attribute_cross_entropy(logits, batch["value_ids"], NUM_VALUES))


def tiny_vit() -> PatchMeanClassifier:
    """Return a classifier without batch norm, whose statistics depend on how a batch is divided."""
    torch.manual_seed(0)
    return PatchMeanClassifier(ViTConfig(**VIT, num_labels=sum(NUM_VALUES)))


def loss_of(model: torch.nn.Module, core: PatchMeanClassifier, rows: slice) -> torch.Tensor:
    """Return the loss of the step on some of four photos."""
    pixels = torch.randn(4, 3, 16, 16, generator=torch.Generator().manual_seed(0))
    batch = {"pixel_values": pixels[rows], "value_ids": VALUE_IDS[rows]}
    return BackboneStep(NUM_VALUES)(model, core, batch)["loss"]


def test_two_processes_learn_what_one_learns(tmp_path):
    require_as_one(tiny_vit, loss_of, tmp_path)
