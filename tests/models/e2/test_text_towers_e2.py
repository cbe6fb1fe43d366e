"""Text towers that E2 runs on, and those that it cannot, which are refused before a forward."""

import pytest
import torch
from transformers import (
    AutoModel,
    DebertaV2Config,
    DistilBertConfig,
    GPT2Config,
    MPNetConfig,
    PreTrainedConfig,
    T5Config,
    T5EncoderModel,
)

from hf_fashion import E2Model
from hf_fashion.models.e2.text_towers_e2 import pool_text, text_tower
from tests.tiny_towers import TEXT, tiny_bert, tiny_tower


IDS = torch.arange(1, 13).view(2, 6)
WITHOUT_POOLER = [
    DistilBertConfig(dim=16, n_layers=1, n_heads=2, hidden_dim=24, vocab_size=99),
    GPT2Config(n_embd=16, n_layer=1, n_head=2, vocab_size=99),
    DebertaV2Config(**TEXT),
]


def tiny_t5() -> T5Config:
    return T5Config(d_model=16, d_kv=8, d_ff=24, num_layers=1, num_heads=2, vocab_size=99)


@pytest.mark.parametrize("config", [tiny_bert().config, MPNetConfig(**TEXT)], ids=lambda config: config.model_type)
def test_a_pooler_is_kept_only_where_it_is_wanted(config):
    tower = text_tower(config, "pooler").eval()
    assert torch.equal(pool_text(tower(IDS), None, "pooler"), tower(IDS).pooler_output)
    assert text_tower(config, "mean").pooler is None


@pytest.mark.parametrize("config", WITHOUT_POOLER, ids=lambda config: config.model_type)
def test_a_tower_without_a_pooler_is_pooled_otherwise(config: PreTrainedConfig):
    with pytest.raises(ValueError, match=rf"\"mean\" or \"first\" for a text tower of type '{config.model_type}'"):
        text_tower(config, "pooler")
    assert pool_text(text_tower(config, "mean").eval()(IDS), None, "mean").shape == (2, 16)


@pytest.mark.parametrize("kind", [AutoModel.from_config, T5EncoderModel])
def test_a_tower_that_decodes_is_refused(kind, tmp_path):
    kind(tiny_t5()).save_pretrained(tmp_path)
    with pytest.raises(ValueError, match="must be an encoder only; for 't5' transformers builds a T5Model"):
        E2Model.from_towers(tiny_tower("dinov2"), str(tmp_path))
