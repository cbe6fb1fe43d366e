"""Train a CLIP tokenizer on a corpus, and check that a tokenizer fits a text tower."""

import json
from collections.abc import Iterable
from typing import Any

from tokenizers import pre_tokenizers, trainers
from transformers import CLIPTokenizer, PreTrainedConfig, PreTrainedTokenizerBase

from ..models.e2.texts_e2 import num_positions, reads_full_length


SPECIAL_TOKENS = ("<|startoftext|>", "<|endoftext|>")
# Every byte, inside and at the end of a word, and the special tokens.
SMALLEST_VOCABULARY = 2 * 256 + len(SPECIAL_TOKENS)


def train_tokenizer(texts: Iterable[str], vocab_size: int = 8192, max_length: int = 77) -> CLIPTokenizer:
    """Train a byte-level BPE tokenizer with CLIP's splitting, lower-casing, special tokens and length.

    Args:
        texts (`Iterable[str]`): captions and tags.
        vocab_size (`int`, *optional*, defaults to 8192): largest number of entries, the two special tokens included.
        max_length (`int`, *optional*, defaults to 77): longest sequence in tokens, both special tokens included.

    Returns:
        `CLIPTokenizer`: its special tokens have the ids 0 and 1. It may have fewer entries than asked for.

    Raises:
        ValueError: if `vocab_size` has no room for the bytes and the special tokens.
    """
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    # Every byte, inside and at the end of a word, in a fixed order. The trainer would learn only the bytes of the
    # corpus (an unknown byte becomes the unknown token, which is CLIP's end of text, where the text tower pools), and
    # would number them in the order of a hash, which differs from run to run.
    tokens = [*SPECIAL_TOKENS, *alphabet, *(byte + "</w>" for byte in alphabet)]
    learnt = learn_merges(CLIPTokenizer(), texts, tokens, vocab_size, end_of_word_suffix="</w>")
    return CLIPTokenizer(**learnt, model_max_length=max_length)


def learn_merges(
    tokenizer: PreTrainedTokenizerBase, texts: Iterable[str], tokens: list[str], vocab_size: int, **options: str
) -> dict[str, Any]:
    """Learn the vocabulary and the merges of a byte-level BPE tokenizer.

    Args:
        tokenizer (`PreTrainedTokenizerBase`): how texts are split; it is spent by the call.
        texts (`Iterable[str]`): what to learn from.
        tokens (`list[str]`): special tokens and bytes, which get the first ids in this order.
        vocab_size (`int`): largest number of entries, these included.
        options (`str`): more of `BpeTrainer`'s.

    Returns:
        `dict`: `vocab` and `merges`, as tokenizers of transformers take them.

    Raises:
        ValueError: if `vocab_size` has no room for `tokens`.
    """
    if vocab_size < len(tokens):
        raise ValueError(f"`vocab_size` must be at least {len(tokens)} (bytes and special tokens), got {vocab_size}")
    learner = tokenizer.backend_tokenizer
    trainer = trainers.BpeTrainer(vocab_size=vocab_size, special_tokens=tokens, show_progress=False, **options)
    learner.train_from_iterator(texts, trainer)
    merges = [tuple(pair) for pair in json.loads(learner.to_str())["model"]["merges"]]
    vocab = {token: number for number, token in enumerate([*tokens, *("".join(pair) for pair in merges)])}
    return {"vocab": vocab, "merges": merges}


def check_vocabulary(tokenizer: PreTrainedTokenizerBase, text_config: PreTrainedConfig) -> None:
    """Raise `ValueError` if the tokenizer does not fit the text tower.

    The text tower must embed every token and position. CLIP's must pool at the tokenizer's end of text, and SigLIP's
    reads texts of exactly its length.

    Args:
        tokenizer (`PreTrainedTokenizerBase`): the tokenizer.
        text_config (`PreTrainedConfig`): configuration of the text tower.

    Raises:
        ValueError: saying what differs and what to set.
    """
    if len(tokenizer) > text_config.vocab_size:
        raise ValueError(
            f"the tokenizer has {len(tokenizer)} tokens, the text tower embeds {text_config.vocab_size}: "
            "use the tokenizer the text tower was trained with, or set `text_config.vocab_size`"
        )
    positions = num_positions(text_config)
    if positions is not None and tokenizer.model_max_length > positions:
        raise ValueError(
            f"the tokenizer's `model_max_length` is {tokenizer.model_max_length}, the text tower has positions for "
            f"{positions} tokens: set `model_max_length` to at most that number in the tokenizer's "
            "tokenizer_config.json, so that longer texts are cut"
        )
    if reads_full_length(text_config) and tokenizer.model_max_length != positions:
        raise ValueError(
            f"the tokenizer's `model_max_length` is {tokenizer.model_max_length}, the text tower reads texts padded "
            f"to {positions} tokens: set `model_max_length` to that number in the tokenizer's tokenizer_config.json"
        )
    if text_config.model_type == "clip_text_model":
        _check_end_of_text(tokenizer, text_config)


def _check_end_of_text(tokenizer: PreTrainedTokenizerBase, text_config) -> None:
    # CLIP's first checkpoints have eos_token_id=2, and CLIP then pools at the highest id, which is their end token.
    if text_config.eos_token_id == 2:
        highest = max(tokenizer.get_vocab().values())
        if tokenizer.eos_token_id != highest:
            raise ValueError(
                f"`text_config.eos_token_id` is 2, with which CLIP's text tower pools at the highest id of a text. "
                f"The tokenizer's highest id is {highest}, but it ends texts with {tokenizer.eos_token_id} "
                f"({tokenizer.eos_token!r}): use the tokenizer the text tower was trained with"
            )
    elif text_config.eos_token_id != tokenizer.eos_token_id:
        raise ValueError(
            f"the text tower pools at token {text_config.eos_token_id}, the tokenizer ends texts with "
            f"{tokenizer.eos_token_id} ({tokenizer.eos_token!r}): set `text_config.eos_token_id`"
        )
