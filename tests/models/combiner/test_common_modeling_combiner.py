"""transformers' own common tests of configurations and models, run on the combiner. `make test` fetches them."""

import unittest

import pytest

from hf_fashion.models.combiner.configuration_combiner import CombinerConfig
from hf_fashion.models.combiner.modeling_combiner import CombinerModel
from tests.tiny_combiner import tiny_combiner_config, tiny_queries


pytest.importorskip("hf_common", reason="run `python tests/fetch_transformers_tests.py` (needs the network) first")

from hf_common.test_configuration_common import ConfigTester
from hf_common.test_modeling_common import ModelTesterMixin


class CombinerModelTester:
    batch_size, is_training = 3, True

    def __init__(self, parent):
        self.parent = parent

    def get_config(self):
        return tiny_combiner_config()

    def prepare_config_and_inputs_for_common(self):
        return self.get_config(), tiny_queries(self.batch_size)


class CombinerModelTest(ModelTesterMixin, unittest.TestCase):
    all_model_classes = (CombinerModel,)
    test_resize_embeddings = False  # its input is embeddings, not a vocabulary
    has_attentions = False  # it has none

    def setUp(self):
        self.model_tester = CombinerModelTester(self)
        self.config_tester = ConfigTester(
            self, config_class=CombinerConfig, has_text_modality=False, common_properties=["hidden_size"]
        )

    def test_config(self):
        self.config_tester.run_common_tests()

    @unittest.skip("its input is embeddings: there is none to get or set")
    def test_model_get_set_embeddings(self):
        pass

    @unittest.skip("it is no stack of layers: there are no hidden states")
    def test_hidden_states_output(self):
        pass

    @unittest.skip("it is no stack of layers: there are no hidden states")
    def test_retain_grad_hidden_states_attentions(self):
        pass

    @unittest.skip("forward computes no loss, since training knows what is to be found")
    def test_training(self):
        pass
