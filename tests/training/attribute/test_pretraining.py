"""Backbones that learn to name attributes: recipe, batches, figures, and the script."""

import json
import os
import subprocess
import sys

import pytest
import torch
import yaml
from transformers import ResNetConfig, ResNetForImageClassification, ViTConfig, ViTModel

from hf_fashion.data.loading import load_corpus
from hf_fashion.data.photo_cache import PhotoCache
from hf_fashion.losses.attribute_cross_entropy import attribute_cross_entropy
from hf_fashion.models.attribute.backbone_attribute import load_pretrained
from hf_fashion.models.attribute.configuration_asen import AsenConfig
from hf_fashion.models.attribute.image_processing_attribute import AttributeImageProcessorPil
from hf_fashion.models.attribute.modeling_asen import AsenModel
from hf_fashion.training.attribute.build import square_processor
from hf_fashion.training.attribute.pretraining import (
    ClassifierCollator,
    LabelledPhotos,
    PretrainingRecipe,
    classification_figures,
    classification_loss,
    make_classifier,
)
from tests.scripts.tiny_run import REPOSITORY, tiny_corpus


NAMES, NUM_VALUES = ["colour", "brand"], [4, 2]
BACKBONE = {"embedding_size": 4, "hidden_sizes": [4, 8], "depths": [1, 1], "layer_type": "basic"}


@pytest.fixture(scope="module")
def photos(tmp_path_factory) -> LabelledPhotos:
    folder = tmp_path_factory.mktemp("photos")
    train = load_corpus(str(tiny_corpus(folder)))["train"]
    value_ids = torch.tensor([[row % 4, -1 if row % 3 == 0 else row % 2] for row in range(len(train))])
    return LabelledPhotos(PhotoCache.build(train, "image", square_processor(16), folder), value_ids)


def tiny_classifier() -> ResNetForImageClassification:
    torch.manual_seed(0)
    return ResNetForImageClassification(ResNetConfig(**BACKBONE, num_labels=sum(NUM_VALUES))).eval()


def test_a_batch_is_normalised_as_the_image_processor_does(photos):
    processor = square_processor(16)
    batch = ClassifierCollator(processor)([photos[3], photos[4]])
    expected = processor([photos.photos.photo(row) for row in (3, 4)], return_tensors="pt")["pixel_values"]
    torch.testing.assert_close(batch["pixel_values"], expected)
    assert batch["value_ids"].tolist() == [[3, -1], [0, 0]]


def test_the_loss_is_that_of_the_logits(photos):
    batch = ClassifierCollator(square_processor(16))([photos[row] for row in range(6)])
    model = tiny_classifier()
    logits = model(batch["pixel_values"]).logits
    found = classification_loss(NUM_VALUES)(model, model, batch)["loss"]
    torch.testing.assert_close(found, attribute_cross_entropy(logits, batch["value_ids"], NUM_VALUES))


def test_figures_count_labelled_photos_alone(photos):
    model, collator = tiny_classifier(), ClassifierCollator(square_processor(16))
    right, labelled = [0, 0], [0, 0]
    for row in range(len(photos)):
        batch = collator([photos[row]])
        parts = model(batch["pixel_values"]).logits[0].split(NUM_VALUES)
        for attribute, value in enumerate(batch["value_ids"][0].tolist()):
            labelled[attribute] += value >= 0
            right[attribute] += parts[attribute].argmax().item() == value
    figures = classification_figures(model, photos, collator, NAMES, NUM_VALUES, batch_size=5)
    shares = [r / n for r, n in zip(right, labelled, strict=True)]
    assert [figures["colour_accuracy"], figures["brand_accuracy"]] == pytest.approx(shares)
    assert figures["accuracy"] == pytest.approx(sum(shares) / 2)


def test_a_vit_is_judged_by_its_patches(tmp_path):
    sizes = {"hidden_size": 12, "num_hidden_layers": 2, "num_attention_heads": 3, "intermediate_size": 16}
    config = ViTConfig(image_size=16, patch_size=8, num_labels=3, **sizes)
    torch.manual_seed(0)
    model, images = make_classifier(config).eval(), torch.randn(2, 3, 16, 16)
    tokens = model.vit(images).last_hidden_state  # (2, 1 + 4, 12)
    torch.testing.assert_close(model(pixel_values=images).logits, model.classifier(tokens[:, 1:].mean(1)))

    model.save_pretrained(tmp_path)
    start = ViTModel(config, add_pooling_layer=False)
    load_pretrained(start, tmp_path)  # as IPAD's semantic branch does
    torch.testing.assert_close(start(images).last_hidden_state, tokens)


def test_a_recipe_names_its_architecture(tmp_path):
    (tmp_path / "recipe.yaml").write_text("model: {config: {depths: [1, 1]}}")
    with pytest.raises(ValueError, match="model_type"):
        PretrainingRecipe.read(tmp_path / "recipe.yaml")


def test_the_script_trains_what_an_attribute_model_starts_from(tmp_path):
    tiny_corpus(tmp_path)
    (tmp_path / "map.yaml").write_text(yaml.safe_dump({"attributes": {"colour": "colour", "brand": "brand"}}))
    recipe = {
        "model": {"image_size": 16, "config": {"model_type": "resnet", **BACKBONE}},
        "data": {
            "corpus": str(tmp_path / "corpus"),
            "column_map": str(tmp_path / "map.yaml"),
            "cache_folder": str(tmp_path / "photos"),
            "attributes": ["colour"],
        },
        "training": {
            "output_dir": str(tmp_path / "run"),
            "batch_size": 8,
            "warmup_steps": 1,
            "stages": [{"epochs": 8, "learning_rate": 1e-2}],
        },
    }
    (tmp_path / "recipe.yaml").write_text(yaml.safe_dump(recipe))
    command = [sys.executable, str(REPOSITORY / "training" / "pretrain_backbone.py"), str(tmp_path / "recipe.yaml")]
    environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(REPOSITORY), "ACCELERATE_USE_CPU": "true"}
    finished = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=180)
    assert finished.returncode == 0, finished.stderr
    history = json.loads((tmp_path / "run" / "results.json").read_text())["history"]
    accuracies = [entry["validation/accuracy"] for entry in history if "validation/accuracy" in entry]
    assert max(accuracies) > 0.5  # four colours: 0.25 by chance

    best = tmp_path / "run" / "best"
    config = AsenConfig(backbone_config={"model_type": "resnet", **BACKBONE}, embedding_dim=8, attribute_dim=8)
    model = AsenModel.from_backbones(config, best)
    trained = ResNetForImageClassification.from_pretrained(best).resnet.state_dict()
    for name, tensor in model.global_branch.backbone.state_dict().items():
        torch.testing.assert_close(tensor, trained[name])
    assert AttributeImageProcessorPil.from_pretrained(best).crop_size["height"] == 16
