"""Accuracy by attribute, against a loop over photos."""

import pytest

from hf_fashion.training.attribute.build import square_processor
from hf_fashion.training.backbone.photos import ClassifierCollator
from hf_fashion.training.backbone.validation import validate
from tests.training.backbone.tiny_backbone import NAMES, NUM_VALUES, tiny_classifier, tiny_photos


def test_only_labelled_photos_count(tmp_path):
    photos = tiny_photos(tmp_path)
    model, collator = tiny_classifier(), ClassifierCollator(square_processor(16))
    right, labelled = [0, 0], [0, 0]
    for row in range(len(photos)):
        batch = collator([photos[row]])
        parts = model(batch["pixel_values"]).logits[0].split(NUM_VALUES)
        for attribute, value in enumerate(batch["value_ids"][0].tolist()):
            labelled[attribute] += value >= 0
            right[attribute] += parts[attribute].argmax().item() == value
    metrics = validate(model, photos, collator, NAMES, NUM_VALUES, batch_size=5)
    shares = [r / n for r, n in zip(right, labelled, strict=True)]
    assert [metrics["colour_accuracy"], metrics["brand_accuracy"]] == pytest.approx(shares)
    assert metrics["accuracy"] == pytest.approx(sum(shares) / 2)


def test_an_attribute_without_labels_counts_zero(tmp_path):
    photos, collator = tiny_photos(tmp_path), ClassifierCollator(square_processor(16))
    photos.value_ids[:, 1] = -1
    metrics = validate(tiny_classifier(), photos, collator, NAMES, NUM_VALUES)
    assert metrics["brand_accuracy"] == 0
    assert metrics["accuracy"] == pytest.approx(metrics["colour_accuracy"] / 2)
