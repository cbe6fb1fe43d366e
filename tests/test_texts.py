"""Texts to tokens: what is cut is said, once, and no text can end another way than by its end."""

import logging

import pytest

from hf_fashion.texts import tokenize, warn_of_long_texts
from tests.tiny_e2 import MAX_LENGTH, tiny_tokenizer


def test_a_text_is_cut_at_the_limit_and_keeps_its_end():
    tokenizer = tiny_tokenizer()
    ids = tokenize(tokenizer, ["x" * 100, "shirt"], 10).input_ids
    assert len(ids[0]) == 10 and ids[0][-1] == tokenizer.eos_token_id and len(ids[1]) == 7


@pytest.mark.parametrize("special", ["<|endoftext|>", "<|startoftext|>", "<|EndOfText|>"])
def test_a_special_token_in_a_text_is_plain_text(special):
    tokenizer = tiny_tokenizer()
    (ids,) = tokenize(tokenizer, [f"red {special} dress"], 77).input_ids
    ends = (tokenizer.bos_token_id, tokenizer.eos_token_id)
    assert [number for number in ids if number in ends] == [ids[0], ids[-1]] == list(ends)
    assert tokenizer.decode(ids[1:-1]).replace(" ", "") == f"red{special.lower()}dress"


def test_one_warning_says_how_many_are_cut_and_where(caplog):
    warn_of_long_texts(tiny_tokenizer(), ["x" * 100, "shirt", "y" * MAX_LENGTH], MAX_LENGTH)
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert record.getMessage().startswith(f"2 of 3 texts are longer than the {MAX_LENGTH} tokens that the model reads")
    assert "xxx" in record.getMessage() and len(record.getMessage()) < 200


def test_texts_that_fit_are_no_news(caplog):
    warn_of_long_texts(tiny_tokenizer(), ["x" * (MAX_LENGTH - 2)], MAX_LENGTH)
    warn_of_long_texts(tiny_tokenizer(), [], MAX_LENGTH)
    assert not caplog.records


def test_half_of_a_character_is_no_text():
    with pytest.raises(ValueError, match=r"the text 'red \\ud83d' has half of a character at place 4"):
        tokenize(tiny_tokenizer(), ["dress", "red \ud83d"], 77)
