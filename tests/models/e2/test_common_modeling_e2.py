"""transformers' own common tests of configurations and models, run on E2. `make test` fetches them."""

import unittest

import pytest
import torch
from transformers import BertConfig, Dinov2Config, SiglipTextConfig, SiglipVisionConfig

from hf_fashion.models.e2.configuration_e2 import E2Config, E2VisionConfig
from hf_fashion.models.e2.modeling_e2 import E2Model, E2VisionModel
from tests.tiny_e2 import tiny_config


pytest.importorskip("hf_common", reason="run `python tests/fetch_transformers_tests.py` (needs the network) first")

from hf_common.test_configuration_common import ConfigTester
from hf_common.test_modeling_common import ModelTesterMixin, ids_tensor

from tests.models.e2.two_towers import TwoTowerTests, random_images


def small_config() -> E2Config:
    """Two layers, as the common tests ask; few patches, so that rounding in half precision changes no choice."""
    config = tiny_config().to_dict()
    config["text_config"]["num_hidden_layers"] = 2
    config["vision_config"] |= {"num_hidden_layers": 2, "patch_size": 8, "tokens_per_entity": 1, "fusion_layers": [1]}
    return E2Config(**config)


class E2VisionModelTester:
    """Tiny vision tower: a class token, two selection tokens and four patches."""

    batch_size, num_channels, image_size, patch_size = 3, 3, 16, 8
    hidden_size, num_hidden_layers, num_attention_heads = 16, 2, 2
    seq_length = 7
    is_training = True

    def __init__(self, parent):
        self.parent = parent

    def get_config(self):
        # The layers after the last fusion block see fewer tokens; the common tests expect one length throughout.
        return E2VisionConfig(**(small_config().vision_config.to_dict() | {"drop_patch_tokens": False}))

    def prepare_config_and_inputs_for_common(self):
        return self.get_config(), {"pixel_values": random_images(self.batch_size, self.image_size)}


class E2ModelTester:
    batch_size, num_channels, image_size = 3, 3, 16
    seq_length, num_hidden_layers = 7, 2
    is_training = True

    def __init__(self, parent):
        self.parent = parent

    def get_config(self):
        return small_config()

    def prepare_config_and_inputs_for_common(self):
        config = self.get_config()
        entities, end = len(config.tag_entities), config.text_config.eos_token_id
        input_ids = ids_tensor([self.batch_size, self.seq_length], end - 1)
        input_ids[:, -1] = end
        tag_input_ids = ids_tensor([self.batch_size, entities, self.seq_length], end - 1)
        tag_input_ids[..., -1] = end
        return config, {
            "input_ids": input_ids,
            "attention_mask": torch.ones_like(input_ids),
            "pixel_values": random_images(self.batch_size, self.image_size),
            "tag_input_ids": tag_input_ids,
            "tag_attention_mask": torch.ones_like(tag_input_ids),
        }


class E2VisionModelTest(ModelTesterMixin, unittest.TestCase):
    all_model_classes = (E2VisionModel,)
    test_resize_embeddings = False  # its input is pixels, not a vocabulary

    def setUp(self):
        self.model_tester = E2VisionModelTester(self)
        self.config_tester = ConfigTester(
            self, config_class=E2VisionConfig, has_text_modality=False, hidden_size=16, num_attention_heads=2
        )

    def test_config(self):
        self.config_tester.run_common_tests()

    @unittest.skip("the input embedding of images is a convolution, not an nn.Embedding")
    def test_model_get_set_embeddings(self):
        pass

    @unittest.skip("the image side computes no loss; E2ModelTest trains it")
    def test_training(self):
        pass

    @unittest.skip("the image side computes no loss; E2ModelTest trains it")
    def test_training_gradient_checkpointing(self):
        pass

    @unittest.skip("the image side computes no loss; E2ModelTest trains it")
    def test_training_gradient_checkpointing_use_reentrant_false(self):
        pass

    @unittest.skip("the image side computes no loss; E2ModelTest trains it")
    def test_training_gradient_checkpointing_use_reentrant_true(self):
        pass


class E2ModelTest(TwoTowerTests, unittest.TestCase):
    all_model_classes = (E2Model,)
    model_tester_class = E2ModelTester


# E2 on other towers than CLIP's.


VISION = {
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "image_size": 16,
    "patch_size": 8,
}
TEXT = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32, "vocab_size": 99}
SELECTION = {"tag_entities": ["brand", "season"], "tokens_per_entity": 1, "fusion_layers": [1], "projection_dim": 16}


class TowerTester(E2ModelTester):
    config: E2Config

    def get_config(self):
        return E2Config(**self.config.to_dict())

    def prepare_config_and_inputs_for_common(self):
        input_ids = ids_tensor([self.batch_size, self.seq_length], 98) + 1
        tag_input_ids = ids_tensor([self.batch_size, 2, self.seq_length], 98) + 1
        return self.get_config(), {
            "input_ids": input_ids,
            "attention_mask": torch.ones_like(input_ids),
            "pixel_values": random_images(self.batch_size, self.image_size),
            "tag_input_ids": tag_input_ids,
            "tag_attention_mask": torch.ones_like(tag_input_ids),
        }


class Dinov2AndBertTester(TowerTester):
    config = E2Config(
        vision_config=Dinov2Config(**VISION),
        text_config=BertConfig(**TEXT, hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0),
        weighted_entities=["brand"],
        **SELECTION,
    )


class SiglipTester(TowerTester):
    config = E2Config(
        vision_config=SiglipVisionConfig(**VISION, intermediate_size=32),
        text_config=SiglipTextConfig(**TEXT, projection_size=16, max_position_embeddings=7),
        contrastive_loss="sigmoid",
        project_towers=False,
        **SELECTION,
    )


class Dinov2AndBertTest(E2ModelTest):
    model_tester_class = Dinov2AndBertTester


class SiglipTest(E2ModelTest):
    model_tester_class = SiglipTester
