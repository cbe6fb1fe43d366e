"""transformers' own common tests of configurations and models, run on FILIP. `make test` fetches them."""

import unittest

import pytest
import torch

from hf_fashion.models.e2.configuration_filip import FilipConfig
from hf_fashion.models.e2.modeling_filip import FilipModel
from tests.tiny_filip import tiny_filip_config


pytest.importorskip("hf_common", reason="run `python tests/fetch_transformers_tests.py` (needs the network) first")

from hf_common.test_configuration_common import ConfigTester
from hf_common.test_modeling_common import ModelTesterMixin, ids_tensor


class FilipModelTester:
    batch_size, num_channels, image_size = 3, 3, 16
    seq_length, num_hidden_layers = 7, 2
    is_training = True

    def __init__(self, parent):
        self.parent = parent

    def get_config(self):
        config = tiny_filip_config().to_dict()
        config["text_config"]["num_hidden_layers"] = 2
        config["vision_config"] |= {"num_hidden_layers": 2, "patch_size": 8}
        return FilipConfig(**config)

    def prepare_config_and_inputs_for_common(self):
        config = self.get_config()
        end = config.text_config.eos_token_id
        input_ids = ids_tensor([self.batch_size, self.seq_length], end - 1)
        input_ids[:, -1] = end
        # Images of their own seed: a maximum amplifies a difference, so these tests must see the same images always.
        images = torch.randn(self.batch_size, 3, 16, 16, generator=torch.Generator().manual_seed(0))
        return config, {
            "input_ids": input_ids,
            "attention_mask": torch.ones_like(input_ids),
            "pixel_values": images,
        }


class FilipModelTest(ModelTesterMixin, unittest.TestCase):
    all_model_classes = (FilipModel,)
    test_resize_embeddings = False  # as in CLIPModel: the text tower's vocabulary is resized through text_model
    test_attention_outputs = False  # each tower's attentions are in that tower's output
    has_attentions = True
    _is_composite = True
    additional_model_inputs = ["pixel_values"]

    def setUp(self):
        self.model_tester = FilipModelTester(self)
        self.config_tester = ConfigTester(
            self, config_class=FilipConfig, has_text_modality=False, common_properties=["projection_dim"]
        )

    def test_config(self):
        self.config_tester.run_common_tests()

    def _prepare_for_class(self, inputs_dict, model_class, return_labels=False):
        inputs = super()._prepare_for_class(inputs_dict, model_class, return_labels=False)
        return {**inputs, "return_loss": True} if return_labels else inputs

    @unittest.skip("two towers: hidden states are in text_model_output and vision_model_output, not at the top")
    def test_hidden_states_output(self):
        pass

    @unittest.skip("two towers: hidden states are in text_model_output and vision_model_output, not at the top")
    def test_retain_grad_hidden_states_attentions(self):
        pass

    @unittest.skip("two towers with input embeddings of their own: as in CLIPModel, there is no single one to get")
    def test_model_get_set_embeddings(self):
        pass
