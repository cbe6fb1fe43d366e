"""A CLIP tokenizer trained on a corpus, for models that start from scratch."""

import json
from collections.abc import Iterable

from tokenizers import pre_tokenizers, trainers
from transformers import CLIPTokenizer, PreTrainedTokenizerBase


SPECIAL_TOKENS = ("<|startoftext|>", "<|endoftext|>")


def train_tokenizer(texts: Iterable[str], vocab_size: int = 8192, max_length: int = 77) -> CLIPTokenizer:
    """A byte-level BPE with CLIP's splitting, lower-casing, special tokens and length.

    Args:
        texts (`Iterable[str]`): captions and tags.
        vocab_size (`int`, *optional*, defaults to 8192): most entries, the two special tokens included.
        max_length (`int`, *optional*, defaults to 77): longest sequence in tokens, both special tokens included.

    Returns:
        `CLIPTokenizer`: its special tokens have the ids 0 and 1. It may have fewer entries than asked for.

    Raises:
        ValueError: if `vocab_size` leaves no room beside the bytes and the special tokens.
    """
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    # Every byte, alone and at the end of a word, in a fixed order. The trainer would know only what the corpus has (a
    # byte it does not know becomes the unknown token, which is CLIP's end of text, where the text tower pools), and
    # would number it in the order of a hash, which differs from run to run.
    tokens = [*SPECIAL_TOKENS, *alphabet, *(byte + "</w>" for byte in alphabet)]
    if vocab_size < len(tokens):
        raise ValueError(f"`vocab_size` must be at least {len(tokens)}: bytes, special tokens; got {vocab_size}.")
    learner = CLIPTokenizer().backend_tokenizer
    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size, special_tokens=tokens, end_of_word_suffix="</w>", show_progress=False
    )
    learner.train_from_iterator(texts, trainer)
    merges = [tuple(pair) for pair in json.loads(learner.to_str())["model"]["merges"]]
    vocab = {token: number for number, token in enumerate([*tokens, *("".join(pair) for pair in merges)])}
    return CLIPTokenizer(vocab=vocab, merges=merges, model_max_length=max_length)


def check_vocabulary(tokenizer: PreTrainedTokenizerBase, text_config) -> None:
    """Raises `ValueError` unless the text tower embeds every token and position, and pools at the tokenizer's end.

    Args:
        tokenizer (`PreTrainedTokenizerBase`): the tokenizer.
        text_config (`CLIPTextConfig`): configuration of the text tower.
    """
    if len(tokenizer) > text_config.vocab_size:
        raise ValueError(
            f"The tokenizer has {len(tokenizer)} tokens, the text tower embeds {text_config.vocab_size}: "
            "use the tokenizer the text tower was trained with, or set `text_config.vocab_size`."
        )
    if tokenizer.model_max_length > text_config.max_position_embeddings:
        raise ValueError(
            f"The tokenizer's `model_max_length` is {tokenizer.model_max_length}, the text tower has positions for "
            f"{text_config.max_position_embeddings} tokens: set `model_max_length` to no more in the tokenizer's "
            "tokenizer_config.json, so that longer texts are cut."
        )
    # CLIP's first checkpoints say eos_token_id=2, and CLIP then pools at the highest id, which is their end token.
    if text_config.eos_token_id == 2:
        highest = max(tokenizer.get_vocab().values())
        if tokenizer.eos_token_id != highest:
            raise ValueError(
                f"`text_config.eos_token_id` is 2, with which CLIP's text tower pools at the highest id of a text. "
                f"The tokenizer's highest id is {highest}, but it ends texts with {tokenizer.eos_token_id} "
                f"({tokenizer.eos_token!r}): use the tokenizer the text tower was trained with."
            )
    elif text_config.eos_token_id != tokenizer.eos_token_id:
        raise ValueError(
            f"The text tower pools at token {text_config.eos_token_id}, the tokenizer ends texts with "
            f"{tokenizer.eos_token_id} ({tokenizer.eos_token!r}): set `text_config.eos_token_id`."
        )
