"""transformers' own common tests of configurations and models, run on FR. `make test` fetches them."""

import unittest

import pytest
import torch

from hf_fashion.models.feature_reasoning.configuration_feature_reasoning import FeatureReasoningConfig
from hf_fashion.models.feature_reasoning.modeling_feature_reasoning import FeatureReasoningModel
from tests.tiny_feature_reasoning import DIM, NUM_CANDIDATES, tiny_feature_reasoning_config


pytest.importorskip("hf_common", reason="run `python tests/fetch_transformers_tests.py` (needs the network) first")

from hf_common.test_configuration_common import ConfigTester
from hf_common.test_modeling_common import ModelTesterMixin


class FeatureReasoningModelTester:
    batch_size, is_training = 3, True

    def __init__(self, parent):
        self.parent = parent

    def get_config(self):
        return tiny_feature_reasoning_config()

    def prepare_config_and_inputs_for_common(self):
        inputs = {
            "query_embeds": torch.randn(self.batch_size, DIM),
            "candidate_embeds": torch.randn(self.batch_size, NUM_CANDIDATES, DIM),
        }
        return self.get_config(), inputs


class FeatureReasoningModelTest(ModelTesterMixin, unittest.TestCase):
    all_model_classes = (FeatureReasoningModel,)
    test_resize_embeddings = False  # its input is features, not a vocabulary
    has_attentions = False  # it compares by cosines

    def setUp(self):
        self.model_tester = FeatureReasoningModelTester(self)
        self.config_tester = ConfigTester(
            self, config_class=FeatureReasoningConfig, has_text_modality=False, common_properties=["hidden_size"]
        )

    def test_config(self):
        self.config_tester.run_common_tests()

    @unittest.skip("its input is features: there is no input embedding to get or set")
    def test_model_get_set_embeddings(self):
        pass

    @unittest.skip("its update networks are no layers of one state: there are no hidden states")
    def test_hidden_states_output(self):
        pass

    @unittest.skip("its update networks are no layers of one state: there are no hidden states")
    def test_retain_grad_hidden_states_attentions(self):
        pass

    @unittest.skip("forward computes no loss, since training knows which candidates are right")
    def test_training(self):
        pass
