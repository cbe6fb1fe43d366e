"""How many tokens a text tower reads, and how texts are padded for it."""

import pytest
from transformers import BertConfig, CLIPTextConfig, SiglipTextConfig, T5Config, XLMRobertaConfig

from hf_fashion.models.e2.texts_e2 import max_tokens, num_positions, text_options
from tests.tiny_e2 import tiny_tokenizer


@pytest.mark.parametrize(
    ("config", "positions"),
    [
        (CLIPTextConfig(), 77),
        (BertConfig(), 512),
        (XLMRobertaConfig(max_position_embeddings=514, pad_token_id=1), 512),  # counted from the padding on
        (T5Config(), None),
    ],
)
def test_positions_of_text_towers(config, positions):
    assert num_positions(config) == positions


@pytest.mark.parametrize(
    ("stated", "config", "read"),
    [
        (20, BertConfig(), 20),
        (int(1e30), BertConfig(), 512),
        (20, T5Config(), 20),
        (20, SiglipTextConfig(), 64),  # never less: it pools at the last position
    ],
)
def test_what_tokenizer_and_text_tower_allow_is_read(stated, config, read):
    tokenizer = tiny_tokenizer()
    tokenizer.model_max_length = stated
    assert max_tokens(tokenizer, config) == read


def test_a_length_is_asked_for_where_nothing_states_one():
    tokenizer = tiny_tokenizer()
    tokenizer.model_max_length = int(1e30)
    with pytest.raises(ValueError, match=r"text tower of type 't5' says how many tokens .* set `model_max_length`"):
        max_tokens(tokenizer, T5Config())


def test_siglips_text_tower_reads_padding_and_no_mask():
    assert text_options(SiglipTextConfig()) == {"padding": "max_length", "return_attention_mask": False}
    assert text_options(CLIPTextConfig()) == {"padding": True}
