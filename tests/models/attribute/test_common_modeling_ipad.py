"""transformers' own common tests of configurations and models, run on IPAD. `make test` fetches them."""

import unittest

import pytest

from hf_fashion.models.attribute.configuration_ipad import IpadConfig
from hf_fashion.models.attribute.modeling_ipad import IpadModel
from tests.tiny_ipad import DINOV2, tiny_ipad_config, tiny_ipad_images


pytest.importorskip("hf_common", reason="run `python tests/fetch_transformers_tests.py` (needs the network) first")

from hf_common.test_configuration_common import ConfigTester
from hf_common.test_modeling_common import ModelTesterMixin


class IpadModelTester:
    """IPAD with both branches; the hidden states are the maps of the stem and of three stages."""

    batch_size, num_channels, image_size = 3, 3, 64
    num_hidden_layers, expected_num_hidden_layers = 2, 4  # of the ViT, and of the backbone's maps
    seq_length = hidden_size = 16  # the stem's map, (B, 4, 16, 16)
    is_training = True
    fields = {}

    def __init__(self, parent):
        self.parent = parent

    def get_config(self):
        return tiny_ipad_config(**self.fields)

    def prepare_config_and_inputs_for_common(self):
        # Of their own seed: a box is a hard choice, so these tests must see the same images always.
        return self.get_config(), {"pixel_values": tiny_ipad_images(self.batch_size)}


class IpadModelTest(ModelTesterMixin, unittest.TestCase):
    all_model_classes = (IpadModel,)
    test_resize_embeddings = False  # its input is pixels, not a vocabulary
    has_attentions = False  # the maps are in attention_maps and iteration_maps
    _is_composite = True

    def setUp(self):
        self.model_tester = IpadModelTester(self)
        self.config_tester = ConfigTester(
            self, config_class=IpadConfig, has_text_modality=False, common_properties=["attribute_names", "image_size"]
        )

    def test_config(self):
        self.config_tester.run_common_tests()

    @unittest.skip("forward computes no loss: a loss compares images, attributes and values of a whole batch")
    def test_training(self):
        pass

    @unittest.skip("forward computes no loss; test_modeling_ipad compares the gradients with and without it")
    def test_training_gradient_checkpointing(self):
        pass

    @unittest.skip("forward computes no loss; test_modeling_ipad compares the gradients with and without it")
    def test_training_gradient_checkpointing_use_reentrant_false(self):
        pass

    @unittest.skip("forward computes no loss; test_modeling_ipad compares the gradients with and without it")
    def test_training_gradient_checkpointing_use_reentrant_true(self):
        pass


class IpadDinov2ModelTester(IpadModelTester):
    """IPAD whose regions go to a DINOv2, larger than its own images."""

    fields = DINOV2


class IpadDinov2ModelTest(IpadModelTest):
    def setUp(self):
        super().setUp()
        self.model_tester = IpadDinov2ModelTester(self)
