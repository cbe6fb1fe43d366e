"""Train the tokenizer of a decoder on the captions of a corpus."""

import json
from collections.abc import Iterable

from tokenizers import pre_tokenizers, trainers
from transformers import GPT2Tokenizer


END = "<|endoftext|>"
# Every byte and the end of text.
SMALLEST_VOCABULARY = 256 + 1


def train_caption_tokenizer(texts: Iterable[str], vocab_size: int = 4096) -> GPT2Tokenizer:
    """Train a byte-level BPE tokenizer as GPT-2's, which keeps letter case and spaces, so that captions read well.

    Args:
        texts (`Iterable[str]`): captions.
        vocab_size (`int`, *optional*, defaults to 4096): largest number of tokens, the end of text included.

    Returns:
        `GPT2Tokenizer`: its end of text, which also pads, has the id 0. It may have fewer tokens than asked for.

    Raises:
        ValueError: `vocab_size` has no room for the bytes and the end of text.
    """
    # In a fixed order: the trainer numbers an alphabet in the order of a hash, which differs from run to run.
    tokens = [END, *sorted(pre_tokenizers.ByteLevel.alphabet())]
    if vocab_size < len(tokens):
        raise ValueError(f"`vocab_size` must be at least {len(tokens)} (bytes and the end of text), got {vocab_size}")
    learner = GPT2Tokenizer().backend_tokenizer
    learner.train_from_iterator(
        texts, trainers.BpeTrainer(vocab_size=vocab_size, special_tokens=tokens, show_progress=False)
    )
    merges = [tuple(pair) for pair in json.loads(learner.to_str())["model"]["merges"]]
    vocab = {token: number for number, token in enumerate([*tokens, *("".join(pair) for pair in merges)])}
    return GPT2Tokenizer(vocab=vocab, merges=merges, unk_token=END, bos_token=END, eos_token=END, pad_token=END)
