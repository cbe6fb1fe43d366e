"""What transformers' common tests need to know of every model of two towers."""

import unittest

import pytest
import torch


pytest.importorskip("hf_common", reason="run `python tests/fetch_transformers_tests.py` (needs the network) first")

from hf_common.test_configuration_common import ConfigTester
from hf_common.test_modeling_common import ModelTesterMixin


def random_images(batch_size: int, size: int) -> torch.Tensor:
    """Images of their own seed: hard choices amplify a difference, so these tests must see the same images always."""
    return torch.randn(batch_size, 3, size, size, generator=torch.Generator().manual_seed(0))


class TwoTowerTests(ModelTesterMixin):
    """The common tests of the one model class of `all_model_classes`, with the inputs of a `model_tester_class`."""

    test_resize_embeddings = False  # as in CLIPModel: the text tower's vocabulary is resized through text_model
    test_attention_outputs = False  # each tower's attentions are in that tower's output
    has_attentions = True
    _is_composite = True
    additional_model_inputs = ["pixel_values"]

    def setUp(self):
        self.model_tester = self.model_tester_class(self)
        (model_class,) = self.all_model_classes
        self.config_tester = ConfigTester(
            self, config_class=model_class.config_class, has_text_modality=False, common_properties=["projection_dim"]
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
