"""Classifiers whose backbones learn what attribute-specific models read."""

import torch
from transformers import ResNetForImageClassification, ViTConfig, ViTModel

from hf_fashion.data.attributes.vocabulary import AttributeVocabulary
from hf_fashion.models.attribute.backbone_attribute import load_pretrained
from hf_fashion.training.backbone.build import make_config, make_model
from hf_fashion.training.backbone.recipe import BackboneModelRecipe
from tests.training.backbone.tiny_backbone import BACKBONE


def test_a_classifier_has_a_label_for_each_value_of_each_attribute():
    vocabulary = AttributeVocabulary(["neck", "hem"], {"neck": ["v", "round"], "hem": ["short", "long"]})
    config = make_config(BackboneModelRecipe(config={"model_type": "resnet", **BACKBONE}), vocabulary)
    assert list(config.id2label.values()) == ["neck: v", "neck: round", "hem: short", "hem: long"]
    model = make_model(config)
    assert isinstance(model, ResNetForImageClassification)
    assert model(torch.zeros(1, 3, 32, 32)).logits.shape == (1, 4)


def test_a_vit_is_judged_by_its_patches(tmp_path):
    sizes = {"hidden_size": 12, "num_hidden_layers": 2, "num_attention_heads": 3, "intermediate_size": 16}
    config = ViTConfig(image_size=16, patch_size=8, num_labels=3, **sizes)
    torch.manual_seed(0)
    model, images = make_model(config).eval(), torch.randn(2, 3, 16, 16)
    tokens = model.vit(images).last_hidden_state  # (2, 1 + 4, 12)
    torch.testing.assert_close(model(pixel_values=images).logits, model.classifier(tokens[:, 1:].mean(1)))

    model.save_pretrained(tmp_path)
    start = ViTModel(config, add_pooling_layer=False)
    load_pretrained(start, tmp_path)  # as IPAD's semantic branch does
    torch.testing.assert_close(start(images).last_hidden_state, tokens)
