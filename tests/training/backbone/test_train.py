"""The training of a backbone from outside: attribute-specific models start from its backbone."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from transformers import ResNetForImageClassification

from hf_fashion.models.attribute.configuration_asen import AsenConfig
from hf_fashion.models.attribute.image_processing_attribute import AttributeImageProcessorPil
from hf_fashion.models.attribute.modeling_asen import AsenModel
from hf_fashion.training.backbone.recipe import BackboneRecipe
from hf_fashion.training.backbone.train import train as train_here
from hf_fashion.training.loop import TrainingLoop
from tests.scripts.tiny_attribute_run import VIT
from tests.scripts.tiny_run import tiny_corpus, train
from tests.training.backbone.tiny_backbone import BACKBONE


def backbone_recipe(folder: Path, config: dict[str, Any], **training) -> Path:
    """Writes a corpus and a recipe that trains on it, and returns its path."""
    tiny_corpus(folder)
    (folder / "map.yaml").write_text(yaml.safe_dump({"attributes": {"colour": "colour", "brand": "brand"}}))
    recipe = {
        "model": {"image_size": 16, "config": config},
        "data": {
            "corpus": str(folder / "corpus"),
            "column_map": str(folder / "map.yaml"),
            "cache_folder": str(folder / "photos"),
            "attributes": ["colour"],
        },
        "training": {
            "output_dir": str(folder / "run"),
            "batch_size": 8,
            "warmup_steps": 1,
            "stages": [{"epochs": 8, "learning_rate": 1e-2}],
        }
        | training,
    }
    (folder / "recipe.yaml").write_text(yaml.safe_dump(recipe))
    return folder / "recipe.yaml"


def test_it_trains_what_an_attribute_model_starts_from(tmp_path):
    recipe = backbone_recipe(tmp_path, {"model_type": "resnet", **BACKBONE})
    printed = train(recipe, model="backbone")
    assert "validation: accuracy" in printed and "4 labels" in printed
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


def test_activations_are_recomputed_where_the_recipe_asks_for_it(tmp_path, fresh_accelerate, monkeypatch):
    trained = []
    monkeypatch.setattr(TrainingLoop, "train", lambda loop, model, checkpoint: trained.append(model))
    recipe = backbone_recipe(tmp_path, {"model_type": "vit", **VIT}, gradient_checkpointing=True)
    train_here(BackboneRecipe.read(recipe))
    assert trained[0].is_gradient_checkpointing
    fresh_accelerate()
    recipe = backbone_recipe(tmp_path, {"model_type": "resnet", **BACKBONE}, gradient_checkpointing=True)
    with pytest.raises(ValueError, match=r"gradient_checkpointing` must be false: a ResNetForImageClassification"):
        train_here(BackboneRecipe.read(recipe))
