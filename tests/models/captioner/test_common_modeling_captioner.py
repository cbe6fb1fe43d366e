"""transformers' own common tests of configurations and models, run on captioners. `make test` fetches them."""

import unittest

import pytest
import torch
from transformers import set_seed

from hf_fashion.models.captioner.configuration_captioner import CaptionerConfig
from hf_fashion.models.captioner.modeling_captioner import CaptionerForConditionalGeneration
from hf_fashion.models.e2.configuration_e2 import E2Config
from tests.tiny_captioner import tiny_captioner_config
from tests.tiny_e2 import tiny_config


pytest.importorskip("hf_common", reason="run `python tests/fetch_transformers_tests.py` (needs the network) first")

from hf_common.test_configuration_common import ConfigTester
from hf_common.test_modeling_common import ModelTesterMixin, ids_tensor

from tests.models.e2.two_towers import random_images


def small_config() -> E2Config:
    """Few patches, so that rounding in half precision changes no choice of E2."""
    vision = tiny_config().vision_config.to_dict() | {"num_hidden_layers": 2, "patch_size": 8}
    vision |= {"tokens_per_entity": 1, "fusion_layers": [1]}
    return E2Config(**(tiny_config().to_dict() | {"vision_config": vision}))


class CaptionerModelTester:
    batch_size, num_channels, image_size, is_training = 3, 3, 16, True
    seq_length = 3 + 5  # prefix and caption
    hidden_size, num_hidden_layers, num_attention_heads = 16, 2, 2

    def __init__(self, parent):
        self.parent = parent

    def get_config(self):
        return tiny_captioner_config(embedder_config=small_config())

    def prepare_config_and_inputs_for_common(self):
        config = self.get_config()
        inputs = {
            "pixel_values": random_images(self.batch_size, self.image_size),
            "input_ids": ids_tensor([self.batch_size, 5], config.decoder_config.vocab_size),
        }
        return config, inputs


class CaptionerModelTest(ModelTesterMixin, unittest.TestCase):
    all_model_classes = (CaptionerForConditionalGeneration,)
    test_resize_embeddings = False  # the decoder's vocabulary is its tokenizer's
    additional_model_inputs = ["input_ids"]

    def setUp(self):
        self.model_tester = CaptionerModelTester(self)
        self.config_tester = ConfigTester(
            self, config_class=CaptionerConfig, has_text_modality=False, common_properties=["prefix_length"]
        )

    def test_config(self):
        self.config_tester.run_common_tests()

    def _prepare_for_class(self, inputs_dict, model_class, return_labels=False):
        inputs = super()._prepare_for_class(inputs_dict, model_class, return_labels=False)
        inputs.pop("attention_mask", None)  # padding is at the end, where nothing sees it
        return {**inputs, "labels": inputs["input_ids"]} if return_labels else inputs

    @unittest.skip("it counts calls of the first layer, of the text tower, which captions never call; see below")
    def test_training_gradient_checkpointing(self):
        pass

    @unittest.skip("it counts calls of the first layer, of the text tower, which captions never call; see below")
    def test_training_gradient_checkpointing_use_reentrant_false(self):
        pass

    @unittest.skip("it counts calls of the first layer, of the text tower, which captions never call; see below")
    def test_training_gradient_checkpointing_use_reentrant_true(self):
        pass

    def test_gradients_are_the_same_with_checkpointing(self):
        config, inputs = self.model_tester.prepare_config_and_inputs_for_common()
        model = CaptionerForConditionalGeneration(config).train()
        inputs = self._prepare_for_class(inputs, type(model), return_labels=True)
        gradients = []
        for checkpointing in (False, True):
            if checkpointing:
                model.gradient_checkpointing_enable()
            model.zero_grad()
            set_seed(0)  # dropout
            model(**inputs).loss.backward()
            gradients.append(model.decoder.transformer.h[0].mlp.c_fc.weight.grad.clone())
        self.assertTrue(model.decoder.is_gradient_checkpointing and gradients[0].abs().sum() > 0)
        torch.testing.assert_close(*gradients)
