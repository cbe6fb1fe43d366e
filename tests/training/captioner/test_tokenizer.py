"""The tokenizer of captions keeps letter case and spaces, and is the same in every process."""

import pytest

from hf_fashion.training.captioner.tokenizer import SMALLEST_VOCABULARY, train_caption_tokenizer
from tests.tiny_captioner import CAPTIONS


def test_what_is_encoded_is_decoded():
    tokenizer = train_caption_tokenizer(CAPTIONS, 300)
    for text in (*CAPTIONS, "Éclat (S–M), 100 % & «more»"):
        assert tokenizer.decode(tokenizer(text)["input_ids"]) == text
    assert (tokenizer.eos_token_id, tokenizer.pad_token_id) == (0, 0) and len(tokenizer) <= 300
    assert len(tokenizer(CAPTIONS[0])["input_ids"]) < len(CAPTIONS[0]) / 2


def test_it_is_saved_whole_and_has_room_for_bytes(tmp_path):
    tokenizer = train_caption_tokenizer(CAPTIONS, 300)
    tokenizer.save_pretrained(tmp_path)
    loaded = type(tokenizer).from_pretrained(tmp_path)
    assert loaded(CAPTIONS)["input_ids"] == tokenizer(CAPTIONS)["input_ids"]
    with pytest.raises(ValueError, match=f"`vocab_size` must be at least {SMALLEST_VOCABULARY}"):
        train_caption_tokenizer(CAPTIONS, 100)
