"""Texts to the tokens of a text tower: cut with a warning, and special tokens in a text are plain text."""

import logging
from collections.abc import Iterable, Sequence
from typing import Any

from transformers import BatchEncoding, PreTrainedTokenizerBase


logger = logging.getLogger(__name__)


def tokenize(
    tokenizer: PreTrainedTokenizerBase, texts: Sequence[str], max_length: int, **options: Any
) -> BatchEncoding:
    """Tokenize texts, cut to the tokens that the model reads. A literal `<|endoftext|>` does not end a text.

    Args:
        tokenizer (`PreTrainedTokenizerBase`): the model's.
        texts (`Sequence[str]`): T texts.
        max_length (`int`): tokens that the model reads of a text.
        options (`Any`): as for the tokenizer, such as `padding` and `return_tensors`.

    Raises:
        ValueError: a text has half of a character.
    """
    require_characters(texts)
    return tokenizer(list(texts), truncation=True, max_length=max_length, split_special_tokens=True, **options)


def warn_of_long_texts(tokenizer: PreTrainedTokenizerBase, texts: Iterable[str], max_length: int) -> None:
    """Log one warning if texts are longer than the model reads: how many of how many, and the limit.

    Args:
        tokenizer (`PreTrainedTokenizerBase`): the model's.
        texts (`Iterable[str]`): all texts of a call, since a call warns once.
        max_length (`int`): tokens that the model reads of a text.
    """
    texts = list(texts)
    tokens = tokenizer(texts, split_special_tokens=True, verbose=False)["input_ids"] if texts else []
    long = [text for text, ids in zip(texts, tokens, strict=True) if len(ids) > max_length]
    if long:
        message = "%d of %d texts are longer than the %d tokens that the model reads and are cut, such as %.80r"
        logger.warning(message, len(long), len(texts), max_length, long[0])


def require_characters(texts: Iterable[str]) -> None:
    """Raise if a text was cut inside a character: no tokenizer reads it.

    Args:
        texts (`Iterable[str]`): the texts.

    Raises:
        ValueError: a text has half of a character.
    """
    for text in texts:
        try:
            text.encode()
        except UnicodeEncodeError as error:
            raise ValueError(
                f"the text {text[:80]!a} has half of a character at place {error.start}: it was cut or decoded wrongly"
            ) from error
