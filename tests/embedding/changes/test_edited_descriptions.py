"""Descriptions edited by rules and by a tiny random language model."""

import pytest
from transformers import GPT2Config, GPT2LMHeadModel, pipeline, set_seed

from hf_fashion.embedding.changes.change_words import Change
from hf_fashion.embedding.changes.edited_descriptions import (
    MAX_NEW_TOKENS,
    PROMPT,
    GenerativeEditor,
    edit_tags,
    read_editor,
)
from tests.tiny_e2 import tiny_tokenizer


TAGS = {"brand": "Puma", "colour": "Blue", "pattern": "Striped"}


def generator(positions=1024):
    tokenizer = tiny_tokenizer()
    tokenizer.model_max_length = 1024
    set_seed(0)
    sizes = {"n_embd": 8, "n_layer": 1, "n_head": 1, "n_positions": positions}
    ids = {"bos_token_id": tokenizer.bos_token_id, "eos_token_id": tokenizer.eos_token_id}
    model = GPT2LMHeadModel(GPT2Config(vocab_size=len(tokenizer), **sizes, **ids)).eval()
    return pipeline("text-generation", model=model, tokenizer=tokenizer, device="cpu")


def test_tags_are_replaced_removed_and_added():
    change = Change(
        {"colour": "Red", "neck": "V-neck"}, (("pattern", "Striped"), ("brand", "Nike")), ("with pockets",)
    )
    assert edit_tags(TAGS, change) == "Puma Red V-neck with pockets"


def test_a_language_model_edits():
    editor = GenerativeEditor(generator())
    written = editor("Puma Blue Striped", "in red")
    assert written and "\n" not in written and "Description" not in written
    assert written == editor("Puma Blue Striped", "in red") != editor("Puma Blue", "without stripes")


def test_a_model_of_few_positions_is_named():
    needed = len(tiny_tokenizer()(PROMPT.format(description="Puma", words="in red")).input_ids) + MAX_NEW_TOKENS
    assert read_editor(generator(needed))("Puma", "in red")
    with pytest.raises(ValueError, match=f"has {needed - 1} positions, and editing 'Puma' takes {needed}: use"):
        read_editor(generator(needed - 1))("Puma", "in red")


def test_an_editor_that_writes_nothing_is_named():
    silent = generator()
    silent.model.generation_config.suppress_tokens = [
        number for number in range(len(silent.tokenizer)) if number != silent.tokenizer.eos_token_id
    ]
    with pytest.raises(ValueError, match="the editor wrote nothing for 'Puma' and 'in red'"):
        read_editor(silent)("Puma", "in red")


@pytest.mark.parametrize(("written", "named"), [(None, "nothing"), ("", "nothing"), (3, "3"), (" ", "' '")])
def test_a_function_that_writes_nothing_is_named(written, named):
    with pytest.raises(ValueError, match=f"the editor wrote {named} for 'Puma' and 'in red', and must write the new"):
        read_editor(lambda description, words: written)("Puma", "in red")


def test_editors_are_pipelines_or_functions():
    def join(description, words):
        return f"{description} {words}"

    assert read_editor(join)("Puma", "in red") == "Puma in red" and read_editor(read_editor(join)).edit is join
    assert isinstance(read_editor(generator()).edit, GenerativeEditor)
    with pytest.raises(ValueError, match=r"`editor` must be a text-generation pipeline or a function .* got 'gpt2'"):
        read_editor("gpt2")
