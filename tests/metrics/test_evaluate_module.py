"""The `evaluate` module, loaded by its path without network."""

import os
from pathlib import Path

import evaluate
import pytest
import torch

import hf_fashion.metrics
from hf_fashion.metrics import cross_modal_recall


MODULE = Path(hf_fashion.metrics.__file__).parent / "cross_modal_recall"


@pytest.fixture
def metric(tmp_path):
    assert os.environ["HF_HUB_OFFLINE"] == "1"
    return evaluate.load(str(MODULE), cache_dir=str(tmp_path))


def test_it_gives_what_the_function_gives_over_several_batches(metric):
    generator = torch.Generator().manual_seed(0)
    images, texts = torch.randn(2, 12, 4, generator=generator)
    labels, titles = torch.arange(12), torch.arange(12) // 3
    for rows in (slice(0, 5), slice(5, 12)):
        metric.add_batch(
            predictions=images[rows].numpy(),
            references=texts[rows].numpy(),
            image_labels=labels[rows].tolist(),
            text_labels=labels[rows].tolist(),
            image_inputs=labels[rows].tolist(),
            text_inputs=titles[rows].tolist(),
        )
    assert metric.compute() == pytest.approx(cross_modal_recall(images, texts, labels, labels, labels, titles))


def test_it_describes_itself(metric):
    assert "ceiling" in metric.description
    assert set(metric.features) >= {"predictions", "references", "image_labels", "text_inputs"}
