"""Train the tokenizer of a decoder on the captions of a corpus."""

from collections.abc import Iterable

from tokenizers import pre_tokenizers
from transformers import GPT2Tokenizer

from ...data.tokenizer import learn_merges


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
    ends = dict.fromkeys(("unk_token", "bos_token", "eos_token", "pad_token"), END)
    return GPT2Tokenizer(**learn_merges(GPT2Tokenizer(), texts, tokens, vocab_size), **ends)
