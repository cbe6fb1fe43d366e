"""The training of a backbone from outside: attribute-specific models start from its backbone."""

import json

import torch
import yaml
from transformers import ResNetForImageClassification

from hf_fashion.models.attribute.configuration_asen import AsenConfig
from hf_fashion.models.attribute.image_processing_attribute import AttributeImageProcessorPil
from hf_fashion.models.attribute.modeling_asen import AsenModel
from tests.scripts.tiny_run import tiny_corpus, train
from tests.training.backbone.tiny_backbone import BACKBONE


def test_it_trains_what_an_attribute_model_starts_from(tmp_path):
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
    printed = train(tmp_path / "recipe.yaml", model="backbone")
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
