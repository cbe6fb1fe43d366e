"""A step of pretraining: the cross-entropy of the model's logits."""

import torch

from hf_fashion.losses.attribute_cross_entropy import attribute_cross_entropy
from hf_fashion.training.attribute.build import square_processor
from hf_fashion.training.backbone.photos import ClassifierCollator
from hf_fashion.training.backbone.step import BackboneStep
from tests.training.backbone.tiny_backbone import NUM_VALUES, tiny_classifier, tiny_photos


def test_the_loss_is_that_of_the_logits(tmp_path):
    photos = tiny_photos(tmp_path)
    batch = ClassifierCollator(square_processor(16))([photos[row] for row in range(6)])
    model = tiny_classifier()
    logits = model(batch["pixel_values"]).logits
    found = BackboneStep(NUM_VALUES)(model, model, batch)["loss"]
    torch.testing.assert_close(found, attribute_cross_entropy(logits, batch["value_ids"], NUM_VALUES))
