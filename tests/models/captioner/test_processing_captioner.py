"""Processor of captioners: captions to tokens and back."""

import pytest
import torch
from transformers import CLIPTokenizer

from hf_fashion.models.captioner.processing_captioner import CaptionerProcessor
from tests.tiny_captioner import CAPTIONS, tiny_caption_processor
from tests.tiny_e2 import tiny_image_processor, tiny_images


def test_captions_end_and_padding_is_no_label():
    processor = tiny_caption_processor()
    encoded = processor(images=tiny_images(3), text=["a", *CAPTIONS[:2]], return_tensors="pt")
    assert set(encoded) == set(processor.model_input_names) and encoded["pixel_values"].shape == (3, 3, 16, 16)
    labels = encoded["labels"]
    assert labels[0, 1] == processor.tokenizer.eos_token_id and (labels[0, 2:] == -100).all()
    assert torch.equal(encoded["input_ids"], labels.masked_fill(labels < 0, processor.tokenizer.eos_token_id))
    assert processor.batch_decode(encoded["input_ids"], skip_special_tokens=True)[1:] == CAPTIONS[:2]


def test_a_long_caption_is_cut_and_ends_all_the_same_which_a_warning_says(caplog):
    tokens, _ = tiny_caption_processor().encode_captions(["w" * 50, "wwwwwwwwwww"])
    assert len(tokens) == 12 and tokens[-1] == 0
    (record,) = caplog.records
    assert record.getMessage().startswith("1 of 2 captions are longer than 11 tokens and end there")
    assert "`max_caption_length`" in record.getMessage()


def test_an_end_of_text_inside_a_caption_is_plain_text():
    (tokens,) = tiny_caption_processor().encode_captions(["<|end"])
    (other,) = tiny_caption_processor().encode_captions(["a<|endoftext|>b"])
    assert tokens.count(0) == 1 and other.count(0) == 1


def test_nothing_and_a_tokenizer_without_an_end_are_refused():
    with pytest.raises(ValueError, match="specify `images`, `text`"):
        tiny_caption_processor()()
    tokenizer = CLIPTokenizer(vocab={"a": 0}, merges=[])
    tokenizer.eos_token = None
    with pytest.raises(ValueError, match="no end of text"):
        CaptionerProcessor(tiny_image_processor(), tokenizer)
