"""transformers' own common tests of configurations and models, run on FILIP. `make test` fetches them."""

import unittest

import pytest
import torch

from hf_fashion.models.e2.configuration_filip import FilipConfig
from hf_fashion.models.e2.modeling_filip import FilipModel
from tests.tiny_filip import tiny_filip_config


pytest.importorskip("hf_common", reason="run `python tests/fetch_transformers_tests.py` (needs the network) first")

from hf_common.test_modeling_common import ids_tensor

from tests.models.e2.two_towers import TwoTowerTests, random_images


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
        return config, {
            "input_ids": input_ids,
            "attention_mask": torch.ones_like(input_ids),
            "pixel_values": random_images(self.batch_size, self.image_size),
        }


class FilipModelTest(TwoTowerTests, unittest.TestCase):
    all_model_classes = (FilipModel,)
    model_tester_class = FilipModelTester
