"""How a text tower reads texts: how many tokens, whether padded to all of them, and with which inputs."""

from transformers import PreTrainedConfig, PreTrainedTokenizerBase


# They number positions from the one behind the padding token's id on, so that the first ones are never used.
COUNTED_FROM_PADDING = (
    *("camembert", "data2vec-text", "longformer", "mpnet", "roberta", "roberta-prelayernorm", "xlm-roberta"),
    *("xlm-roberta-xl", "xmod"),
)
# A tokenizer that states no `model_max_length` has 1e30.
NO_LENGTH = 10**9


def reads_full_length(text_config: PreTrainedConfig) -> bool:
    """Return whether a text tower reads every text padded to its last position, as SigLIP's does.

    It pools at the last position and was trained without an attention mask.

    Args:
        text_config (`PreTrainedConfig`): configuration of the text tower.
    """
    return text_config.model_type == "siglip_text_model"


def num_positions(text_config: PreTrainedConfig) -> int | None:
    """Return the number of tokens that a text tower has positions for; `None` where any number is read.

    Args:
        text_config (`PreTrainedConfig`): configuration of the text tower.
    """
    positions = getattr(text_config, "max_position_embeddings", None)
    if positions is not None and text_config.model_type in COUNTED_FROM_PADDING:
        return positions - text_config.pad_token_id - 1
    return positions


def max_tokens(tokenizer: PreTrainedTokenizerBase, text_config: PreTrainedConfig) -> int:
    """Return the number of tokens that are read of a text: what tokenizer and text tower both allow.

    Args:
        tokenizer (`PreTrainedTokenizerBase`): the tokenizer.
        text_config (`PreTrainedConfig`): configuration of the text tower.

    Raises:
        ValueError: neither states a length.
    """
    positions = num_positions(text_config)
    if positions is not None and reads_full_length(text_config):
        return positions
    lengths = [length for length in (tokenizer.model_max_length, positions) if length and length < NO_LENGTH]
    if not lengths:
        raise ValueError(
            f"neither the tokenizer nor a text tower of type {text_config.model_type!r} says how many tokens are read "
            "of a text: set `model_max_length` of the tokenizer, such as 128"
        )
    return min(lengths)


def text_options(text_config: PreTrainedConfig) -> dict:
    """Return how to call a tokenizer for a text tower: padding, and the attention mask.

    Args:
        text_config (`PreTrainedConfig`): configuration of the text tower.
    """
    if reads_full_length(text_config):
        return {"padding": "max_length", "return_attention_mask": False}
    return {"padding": True}


__all__ = ["max_tokens", "num_positions", "reads_full_length", "text_options"]
