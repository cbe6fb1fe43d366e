"""transformers' own common tests of configurations and models, run on ASEN++. `make test` fetches them."""

import unittest

import pytest
import torch

from hf_fashion.models.attribute.configuration_asen import AsenConfig
from hf_fashion.models.attribute.modeling_asen import AsenModel
from tests.models.attribute.tiny_bare_backbones import tiny_bare_config
from tests.tiny_attribute import IMAGE_SIZE, tiny_asen_config


pytest.importorskip("hf_common", reason="run `python tests/fetch_transformers_tests.py` (needs the network) first")

from hf_common.test_configuration_common import ConfigTester
from hf_common.test_modeling_common import ModelTesterMixin


class AsenModelTester:
    """ASEN++ with both branches; the hidden states are the maps of the stem and of three stages."""

    batch_size, num_channels, image_size = 3, 3, IMAGE_SIZE
    num_hidden_layers = 1  # blocks a stage
    expected_num_hidden_layers = 4
    seq_length = hidden_size = IMAGE_SIZE // 4  # the stem's map, (B, 4, 16, 16)
    is_training = True

    def __init__(self, parent):
        self.parent = parent

    def get_config(self):
        return tiny_asen_config(local=True)

    def prepare_config_and_inputs_for_common(self):
        # Of their own seed: a box is a hard choice, so these tests must see the same images always.
        images = torch.randn(self.batch_size, 3, IMAGE_SIZE, IMAGE_SIZE, generator=torch.Generator().manual_seed(0))
        return self.get_config(), {"pixel_values": images}


class AsenModelTest(ModelTesterMixin, unittest.TestCase):
    all_model_classes = (AsenModel,)
    test_resize_embeddings = False  # its input is pixels, not a vocabulary
    has_attentions = False  # the maps are in attention_maps; the backbone is convolutional
    _is_composite = True

    def setUp(self):
        self.model_tester = AsenModelTester(self)
        self.config_tester = ConfigTester(
            self, config_class=AsenConfig, has_text_modality=False, common_properties=["attribute_names", "image_size"]
        )

    def test_config(self):
        self.config_tester.run_common_tests()

    @unittest.skip("its input is pixels: there is no input embedding to get or set")
    def test_model_get_set_embeddings(self):
        pass

    @unittest.skip("forward computes no loss, since a triplet's images are embedded in one batch or in several")
    def test_training(self):
        pass


class AsenOfRegNetTester(AsenModelTester):
    """ASEN on a CNN without a Backbone class; the hidden states are the maps of the stem and of three stages."""

    seq_length = hidden_size = IMAGE_SIZE // 2  # the stem's map, (B, 4, 32, 32)

    def get_config(self):
        return tiny_asen_config(backbone_config=tiny_bare_config("regnet", feature_stride=16))


class AsenOfRegNetTest(AsenModelTest):
    def setUp(self):
        super().setUp()
        self.model_tester = AsenOfRegNetTester(self)
