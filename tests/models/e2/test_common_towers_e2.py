"""transformers' own common tests of models, run on E2 with other towers than CLIP's."""

import pytest
import torch
from transformers import BertConfig, Dinov2Config, SiglipTextConfig, SiglipVisionConfig

from hf_fashion.models.e2.configuration_e2 import E2Config


pytest.importorskip("hf_common", reason="run `python tests/fetch_transformers_tests.py` (needs the network) first")

# The module, and not its classes: pytest would run their tests here again.
from tests.models.e2 import test_common_modeling_e2 as common


VISION = {
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "image_size": 16,
    "patch_size": 8,
}
TEXT = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32, "vocab_size": 99}
SELECTION = {"tag_entities": ["brand", "season"], "tokens_per_entity": 1, "fusion_layers": [1], "projection_dim": 16}


class TowerTester(common.E2ModelTester):
    config: E2Config

    def get_config(self):
        return E2Config(**self.config.to_dict())

    def prepare_config_and_inputs_for_common(self):
        input_ids = common.ids_tensor([self.batch_size, self.seq_length], 98) + 1
        tag_input_ids = common.ids_tensor([self.batch_size, 2, self.seq_length], 98) + 1
        return self.get_config(), {
            "input_ids": input_ids,
            "attention_mask": torch.ones_like(input_ids),
            "pixel_values": common.random_images(self.batch_size, self.image_size),
            "tag_input_ids": tag_input_ids,
            "tag_attention_mask": torch.ones_like(tag_input_ids),
        }


class Dinov2AndBertTester(TowerTester):
    config = E2Config(
        vision_config=Dinov2Config(**VISION),
        text_config=BertConfig(**TEXT, hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0),
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


class Dinov2AndBertTest(common.E2ModelTest):
    def setUp(self):
        super().setUp()
        self.model_tester = Dinov2AndBertTester(self)


class SiglipTest(common.E2ModelTest):
    def setUp(self):
        super().setUp()
        self.model_tester = SiglipTester(self)
