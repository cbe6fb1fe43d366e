"""The tokenizer of a corpus: CLIP's form, every byte known, the same in every process."""

import subprocess
import sys

import pytest
from transformers import CLIPTextConfig, CLIPTokenizer

from hf_fashion.data.tokenizer import check_vocabulary, train_tokenizer
from tests.scripts.tiny_run import REPOSITORY


TITLES = [f"{colour} cotton dress number {n}" for colour in ("red", "blue") for n in range(20)]


def test_it_is_clips_in_form():
    tokenizer = train_tokenizer(TITLES, 600)
    tokens = tokenizer("Red  DRESS").tokens()
    assert tokens == ["<|startoftext|>", "red</w>", "dress</w>", "<|endoftext|>"]
    assert tokenizer.model_max_length == 77 and len(tokenizer) <= 600
    assert tokenizer("x " * 200, truncation=True)["input_ids"][-1] == tokenizer.eos_token_id


@pytest.mark.parametrize("text", ["Größe ½", "你好", "q", "-- !", "emoji 👗"])
def test_no_text_holds_an_unknown_token(text):
    """CLIP's unknown token is its end token, and the text tower pools at the first one."""
    tokenizer = train_tokenizer(TITLES, 600)
    assert tokenizer(text)["input_ids"].count(tokenizer.eos_token_id) == 1
    decoded = tokenizer.decode(tokenizer(text)["input_ids"], skip_special_tokens=True)
    assert decoded.replace(" ", "") == text.lower().replace(" ", "")


def test_the_same_in_every_process():
    code = (
        "import json, sys; from hf_fashion.data.tokenizer import train_tokenizer;"
        f"print(json.dumps(sorted(train_tokenizer({TITLES!r}, 600).get_vocab().items())))"
    )
    runs = {
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=REPOSITORY, check=True).stdout
        for _ in range(2)
    }
    assert len(runs) == 1


def test_saved_and_read_is_equal(tmp_path):
    tokenizer = train_tokenizer(TITLES, 600)
    tokenizer.save_pretrained(tmp_path)
    read = type(tokenizer).from_pretrained(tmp_path)
    assert read("Zürich red dress")["input_ids"] == tokenizer("Zürich red dress")["input_ids"]


def test_too_small_a_vocabulary_is_refused():
    with pytest.raises(ValueError, match="514"):
        train_tokenizer(TITLES, 300)


def test_vocabulary_is_checked_against_the_text_tower():
    tokenizer = train_tokenizer(TITLES, 600)
    ids = {"bos_token_id": 0, "eos_token_id": tokenizer.eos_token_id}
    check_vocabulary(tokenizer, CLIPTextConfig(vocab_size=len(tokenizer), **ids))
    with pytest.raises(ValueError, match="embeds 520"):
        check_vocabulary(tokenizer, CLIPTextConfig(vocab_size=520, **ids))
    with pytest.raises(ValueError, match="eos_token_id"):
        check_vocabulary(tokenizer, CLIPTextConfig(vocab_size=600, bos_token_id=0, eos_token_id=5))


def clips_tokenizer() -> CLIPTokenizer:
    """In CLIP's own vocabulary the end token comes last."""
    vocabulary = train_tokenizer(TITLES, 600).get_vocab()
    start, end, *others = sorted(vocabulary, key=vocabulary.get)
    return CLIPTokenizer(vocab={token: n for n, token in enumerate([*others, start, end])}, merges=[])


def test_the_old_end_token_of_clip_needs_an_end_token_that_comes_last():
    config = CLIPTextConfig(vocab_size=600, max_position_embeddings=77, eos_token_id=2)
    tokenizer = clips_tokenizer()
    tokenizer.model_max_length = 77
    check_vocabulary(tokenizer, config)
    tokenizer.add_tokens(["<extra>"])
    with pytest.raises(ValueError, match=r"highest id is \d+, but it ends texts with \d+"):
        check_vocabulary(tokenizer, config)
    with pytest.raises(ValueError, match="but it ends texts with 1"):
        check_vocabulary(train_tokenizer(TITLES, 600), config)


@pytest.mark.parametrize(("length", "fits"), [(16, True), (15, True), (17, False), (int(1e30), False)])
def test_length_is_checked_against_the_positions(length, fits):
    tokenizer = train_tokenizer(TITLES, 600, length)
    config = CLIPTextConfig(vocab_size=600, max_position_embeddings=16, bos_token_id=0, eos_token_id=1)
    if fits:
        check_vocabulary(tokenizer, config)
    else:
        with pytest.raises(ValueError, match=rf"`model_max_length` is {length}, .* positions for 16 tokens"):
            check_vocabulary(tokenizer, config)
